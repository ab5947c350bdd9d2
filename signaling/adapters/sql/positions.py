"""Places in the log, in order of commit."""

from sqlalchemy import BigInteger, Connection, bindparam, select, update
from sqlalchemy.dialects import sqlite

from signaling.adapters.sql.driver import run
from signaling.adapters.sql.tables import positions


def take_positions(connection: Connection, count: int) -> int:
    """Take `count` positions; the last one before them. Others wait for the commit."""
    if connection.dialect.name == "sqlite":
        [[last]] = run(connection, _TAKE_SQLITE, (count,))
    else:
        last = connection.execute(_TAKE, {"count": count}).scalar_one()
    return int(last) - count


def last_position(connection: Connection) -> int:
    """The end of the log."""
    if connection.dialect.name == "sqlite":
        [[last]] = run(connection, _LAST_SQLITE)
    else:
        last = connection.execute(_LAST).scalar_one()
    return int(last)


_LAST = select(positions.c.last)
_TAKE = (
    update(positions)
    .values(last=positions.c.last + bindparam("count", type_=BigInteger))
    .returning(positions.c.last)
)
_LAST_SQLITE = str(_LAST.compile(dialect=sqlite.dialect()))
_TAKE_SQLITE = str(_TAKE.compile(dialect=sqlite.dialect()))
