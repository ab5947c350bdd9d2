"""A list of rows as one parameter: a JSON array that the database unfolds into a table.

One statement then serves a group of any size, with one text, one plan and one crossing into the
driver. In SQLite that also means one release of Python's lock instead of one per row.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    String,
    Text,
    bindparam,
    cast,
    column,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.sql import Subquery, TableValuedAlias
from sqlalchemy.types import TypeEngine

_encoder = msgspec.json.Encoder()

INT: TypeEngine[Any] = BigInteger()
TEXT: TypeEngine[Any] = Text()


def pack(rows: list[dict[str, Any]]) -> str:
    """The parameter's value."""
    return _encoder.encode(rows).decode()


def rows(
    dialect: str, parameter: str, columns: Mapping[str, TypeEngine[Any]]
) -> Subquery | TableValuedAlias:
    """A table of `columns`, unfolded from the bind parameter `parameter`."""
    if dialect == "sqlite":
        item = func.json_each(bindparam(parameter, type_=String)).table_valued("value")
        picked = [
            func.json_extract(item.c.value, f"$.{name}", type_=type_).label(name)
            for name, type_ in columns.items()
        ]
        return select(*picked).select_from(item).subquery(parameter)
    unfold = func.json_to_recordset(cast(bindparam(parameter, type_=Text), JSON))
    typed = [column(name, type_) for name, type_ in columns.items()]
    return unfold.table_valued(*typed).render_derived(name=parameter, with_types=True)
