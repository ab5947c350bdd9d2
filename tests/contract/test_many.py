"""One statement for any number of rows: the same on both databases, in their order."""

import pytest
from sqlalchemy import FromClause, insert, select, update

from signaling.adapters.sql import Database
from signaling.adapters.sql.many import INT, MAX_ROWS, TEXT, Many, Statement
from signaling.adapters.sql.tables_messaging import readers


def _insert(given: FromClause) -> Statement:
    return insert(readers).from_select(["name", "position"], select(given))


def _move(given: FromClause) -> Statement:
    moved = update(readers).where(readers.c.name == given.c.name)
    return moved.values(position=given.c.position)


def _find(given: FromClause) -> Statement:
    same = readers.c.name == given.c.name
    return select(readers.c.name, readers.c.position).select_from(given.join(readers, same))


COLUMNS = {"name": TEXT, "position": INT}


@pytest.mark.parametrize("count", [1, 2, 3, 64, 65, MAX_ROWS + 1])
async def test_every_row_is_taken_once(database: Database, count: int) -> None:
    rows = [{"name": f"reader {n}", "position": n} for n in range(count)]
    moved = [{**row, "position": row["position"] + 10_000} for row in rows]
    await database.write(lambda c: Many(COLUMNS, _insert).execute(c, rows))
    assert await database.write(lambda c: Many(COLUMNS, _move).execute(c, moved)) == []
    found = await database.read(lambda c: Many(COLUMNS, _find).execute(c, rows))
    assert sorted(map(tuple, found), key=lambda row: row[1]) == [tuple(r.values()) for r in moved]


async def test_text_is_kept_as_it_is(database: Database) -> None:
    names = ["'; drop table events; --", ":v0", "你好 \U0001f600", '{"a": "\\u0001"}', ""]
    rows = [{"name": name, "position": n} for n, name in enumerate(names)]
    await database.write(lambda c: Many(COLUMNS, _insert).execute(c, rows))
    found = await database.read(lambda c: Many(COLUMNS, _find).execute(c, rows))
    assert {row[0] for row in found} == set(names)


async def test_nulls_after_the_first_column_are_values(database: Database) -> None:
    def same(given: FromClause) -> Statement:
        return select(given.c.name, given.c.position)

    rows = [{"name": "a", "position": None}, {"name": "b", "position": 2}]
    found = await database.read(lambda c: Many(COLUMNS, same).execute(c, rows))
    assert sorted(map(tuple, found)) == [("a", None), ("b", 2)]


def test_a_statement_that_binds_more_is_refused() -> None:
    def named(given: FromClause) -> Statement:
        return select(given.c.name).where(given.c.position > 7)

    with pytest.raises(TypeError):
        Many(COLUMNS, named)._for_sqlite(1)
