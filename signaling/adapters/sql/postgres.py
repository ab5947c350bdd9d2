"""PostgreSQL through asyncpg: the same operations, run on a greenlet, writers taking turns.

Writers hold one advisory lock until their commit. So positions become visible in the order they
were
given out, and a cursor cannot pass an event that commits later. Reading only below the oldest
running
transaction would do without the lock, but any long transaction in the cluster would stop all
delivery,
and transaction ids mean nothing after a dump and restore. Appends that wait are gathered into one
transaction (`gather.Gather`), so taking turns costs little.
"""

import logging
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import URL, Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from signaling.adapters.sql.database import LOCK_KEY
from signaling.adapters.sql.faults import translate, unavailable
from signaling.adapters.sql.migrate import migrate_within
from signaling.errors import Refused

T = TypeVar("T")

POOL_SIZE = 8
CONNECT_TIMEOUT_S = 5.0
COMMAND_TIMEOUT_S = 10.0
LOCK_TIMEOUT_MS = 5_000

log = logging.getLogger(__name__)


class PostgresDatabase:
    """A Database on a server. Use `open`."""

    dialect = "postgresql"

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @classmethod
    async def open(cls, url: URL) -> "PostgresDatabase":
        """Connect and bring the schema up."""
        engine = create_async_engine(
            url.set(drivername="postgresql+asyncpg"),
            pool_size=POOL_SIZE,
            max_overflow=0,
            pool_timeout=CONNECT_TIMEOUT_S,
            connect_args={
                "timeout": CONNECT_TIMEOUT_S,
                "command_timeout": COMMAND_TIMEOUT_S,
                "server_settings": {
                    "lock_timeout": str(LOCK_TIMEOUT_MS),
                    "synchronous_commit": "on",
                },
            },
        )
        async with engine.begin() as connection:
            await connection.run_sync(migrate_within)
        return cls(engine)

    async def write(self, op: Callable[[Connection], T]) -> T:
        """See Database."""

        def locked(connection: Connection) -> T:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK_KEY})")
            return op(connection)

        try:
            async with self._engine.begin() as connection:
                return await connection.run_sync(locked)
        except (DBAPIError, OSError, TimeoutError) as error:
            raise _told(error) from error

    async def read(self, op: Callable[[Connection], T]) -> T:
        """See Database."""
        try:
            async with self._engine.connect() as connection:
                await connection.execution_options(isolation_level="REPEATABLE READ")
                return await connection.run_sync(op)
        except (DBAPIError, OSError, TimeoutError) as error:
            raise _told(error) from error

    async def close(self) -> None:
        """Close the pool."""
        await self._engine.dispose()


def _told(error: Exception) -> Exception:
    told = translate(error) if isinstance(error, DBAPIError) else unavailable()
    if isinstance(told, Refused) and told.retryable:
        log.error("the database did not answer: %s", error)
    return told
