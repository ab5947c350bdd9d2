"""What the stores ask of a database: run a synchronous operation on a Core connection, durably."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection, make_url

T = TypeVar("T")

LOCK_KEY = 0x746F6B656E696D
"""The advisory lock under which PostgreSQL writers take turns ("tokenim")."""


class Database(Protocol):
    """Runs operations. Everyone's writes are serial, so an operation sees nobody else's half."""

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""

    async def write(self, op: Callable[[Connection], T]) -> T:
        """All of `op` or nothing; on disk when this returns. What `op` raises is raised.

        Raises Refused unavailable when the database is locked, full or away: nothing is kept then,
        or, if it broke off during the commit, all of it.
        """

    async def read(self, op: Callable[[Connection], T]) -> T:
        """`op` on one snapshot that holds everything committed before the call."""

    async def close(self) -> None:
        """Finish what was asked for and let go of the files or sockets."""


async def open_database(url: str) -> Database:
    """Migrate and open `sqlite[+driver]:///path` or `postgresql[+driver]://…`."""
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        from signaling.adapters.sql.sqlite import SqliteDatabase  # noqa: PLC0415

        return await SqliteDatabase.open(parsed.database or "tokenim.db")
    if backend == "postgresql":
        from signaling.adapters.sql.postgres import PostgresDatabase  # noqa: PLC0415

        return await PostgresDatabase.open(parsed)
    raise ValueError(f"cannot keep a log in {backend}; use sqlite or postgresql")
