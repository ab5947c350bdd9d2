"""One statement for a group of rows, whatever their number.

One crossing into the driver for all of them: in SQLite that also means one release of Python's lock
instead of one per row, and each release may cost a thread its turn.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any, Final, TypeAlias

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Delete,
    FromClause,
    Insert,
    Select,
    TableClause,
    Text,
    Update,
    bindparam,
    cast,
    column,
    func,
    insert,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.types import TypeEngine

from signaling.adapters.sql.driver import run

Statement: TypeAlias = Select[Any] | Insert | Update | Delete

INT: TypeEngine[Any] = BigInteger()
TEXT: TypeEngine[Any] = Text()

MAX_ROWS: Final = 1024
"""Of one statement in SQLite, which binds at most 32 766 values."""

ZERO: ColumnElement[int] = literal_column("0", BigInteger)
ONE: ColumnElement[int] = literal_column("1", BigInteger)
"""Numbers in the text: a statement over many rows binds nothing but them. SQLite wants an OFFSET
beside a LIMIT, and would bind its own.
"""

_encode = msgspec.json.Encoder().encode
_NAME = "many"


def inserting(target: TableClause) -> Callable[[FromClause], Statement]:
    """Builds what puts the rows into a table."""
    return lambda given: insert(target).from_select(list(given.c.keys()), select(given))


class Each:
    """A `Many` for items each of which has rows of its own in the answer: what `build` makes gives
    the item's number `n` first.
    """

    def __init__(
        self,
        columns: Mapping[str, TypeEngine[Any]],
        build: Callable[[FromClause], Statement],
    ) -> None:
        # made here
        self._names = ("n", *columns)
        self._many = Many({"n": INT, **columns}, build)

    def find(
        self, connection: Connection, items: Iterable[Sequence[Any]]
    ) -> list[list[Sequence[Any]]]:
        """The rows of each item, without the number."""
        given = [dict(zip(self._names, (n, *item), strict=True)) for n, item in enumerate(items)]
        found: list[list[Sequence[Any]]] = [[] for _ in given]
        for row in self._many.execute(connection, given) if given else ():
            found[row[0]].append(row[1:])
        return found


class Many:
    """A statement over a table of `columns` (at least two) whose rows are given as it is executed.

    `build` makes the statement from that table. The first column of a row is never NULL.
    """

    def __init__(
        self,
        columns: Mapping[str, TypeEngine[Any]],
        build: Callable[[FromClause], Statement],
    ) -> None:
        self._columns = columns
        self._build = build
        self._pick = itemgetter(*columns)
        self._zeros = (len(columns) - 1) * [0]
        self._sqlite = lru_cache(maxsize=None)(self._for_sqlite)
        self._postgres = lru_cache(maxsize=None)(self._for_postgres)

    def execute(
        self, connection: Connection, rows: Sequence[Mapping[str, Any]]
    ) -> list[Sequence[Any]]:
        """What the statement returns, if it returns rows."""
        return self.give(connection, list(map(self._pick, rows)))

    def give(self, connection: Connection, rows: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
        """The same for rows that have their values in the order of the columns."""
        if connection.dialect.name != "sqlite":
            named = [dict(zip(self._columns, row, strict=True)) for row in rows]
            given = _encode(named).decode()
            result = connection.execute(self._postgres(), {_NAME: given})
            return list(result) if result.returns_rows else []
        found: list[Sequence[Any]] = []
        for first in range(0, len(rows), MAX_ROWS):
            found += self._execute(connection, rows[first : first + MAX_ROWS])
        return found

    def _execute(
        self, connection: Connection, rows: Sequence[Sequence[Any]]
    ) -> Sequence[Sequence[Any]]:
        count = 1 << (len(rows) - 1).bit_length()
        given = list(chain.from_iterable(rows))
        given += [None, *self._zeros] * (count - len(rows))
        return run(connection, self._sqlite(count), given)

    def _for_sqlite(self, count: int) -> str:
        """The statement's text for so many rows, a power of two: there are few texts and plans.

        What the rows do not fill begins with NULL, and is left out. (Its other values are not NULL:
        the driver takes four times as long over one as over a number.)
        """
        width = len(self._columns)
        names = [f"v{index}" for index in range(width * count)]
        lines = [
            "(" + ", ".join(f":{name}" for name in names[first : first + width]) + ")"
            for first in range(0, len(names), width)
        ]
        picked = ", ".join(f'column{n} AS "{name}"' for n, name in enumerate(self._columns, 1))
        table = text(
            f"SELECT {picked} FROM (VALUES {', '.join(lines)}) WHERE column1 IS NOT NULL"  # noqa: S608
        ).columns(*(column(name, type_) for name, type_ in self._columns.items()))
        compiled = self._build(table.subquery(_NAME)).compile(dialect=sqlite.dialect())
        if compiled.positiontup != names:
            raise TypeError("a statement over many rows binds nothing but them")
        return str(compiled)

    def _for_postgres(self) -> Statement:
        unfold = func.json_to_recordset(cast(bindparam(_NAME, type_=Text), JSON))
        typed = [column(name, type_) for name, type_ in self._columns.items()]
        table = unfold.table_valued(*typed).render_derived(name=_NAME, with_types=True)
        return self._build(table)
