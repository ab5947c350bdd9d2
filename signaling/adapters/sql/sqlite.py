"""SQLite: one writer thread that commits in groups, a few reader threads, one file.

Several processes may share the file: BEGIN IMMEDIATE queues their writers, so positions are given
out and committed in one order.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from signaling.adapters.sql.driver import changes, run
from signaling.adapters.sql.faults import translate, unavailable
from signaling.adapters.sql.migrate import migrate

T = TypeVar("T")
Op = Callable[[Connection], Any]

BUSY_TIMEOUT_MS = 5_000
MAX_GROUP = 256
READERS = 2
CACHE_KIB = 65_536
WAL_PAGES = 4_000
"""Checkpoint every 16 MB: rarely enough to keep commits short, often enough to keep start-up short.
"""

log = logging.getLogger(__name__)


class _Job(NamedTuple):
    op: Op
    future: "asyncio.Future[Any]"


class _Done(NamedTuple):
    future: "asyncio.Future[Any]"
    result: Any
    error: BaseException | None


class _Scope(NamedTuple):
    """What is around a job within a transaction, to keep or undo it alone."""

    begin: tuple[str, ...]
    keep: tuple[str, ...]
    undo: tuple[str, ...]


_PART = _Scope(("SAVEPOINT job",), ("RELEASE job",), ("ROLLBACK TO job", "RELEASE job"))
_WHOLE = _Scope((), (), ("ROLLBACK", "BEGIN"))
"""The only job is the transaction; undone, an empty one is left to commit."""


class SqliteDatabase:
    """A Database in one file. Use `open`."""

    dialect = "sqlite"

    def __init__(self, path: str) -> None:
        self._path = path
        self._loop = asyncio.get_running_loop()
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._closed = False
        self._engine = create_writer_engine(path)
        self._read_engine = create_reader_engine(path)
        self._local = threading.local()
        self._read_connections: list[Connection] = []
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="sqlite-reader")
        self._writer = threading.Thread(target=self._write_loop, name="sqlite-writer", daemon=True)

    @classmethod
    async def open(cls, path: str) -> "SqliteDatabase":
        """Make the file if need be, bring it to the newest schema, start the threads."""
        await asyncio.to_thread(Path(path).parent.mkdir, parents=True, exist_ok=True)
        database = cls(path)
        await asyncio.to_thread(migrate, database._engine)
        database._writer.start()
        return database

    async def write(self, op: Callable[[Connection], T]) -> T:
        """See Database."""
        if self._closed:
            raise unavailable()
        future: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put(_Job(op, future))
        return await future

    async def read(self, op: Callable[[Connection], T]) -> T:
        """See Database."""
        if self._closed:
            raise unavailable()
        return await self._loop.run_in_executor(self._readers, self._read, op)

    async def close(self) -> None:
        """Write what is queued, then close every connection."""
        if self._closed:
            return
        self._closed = True
        self._jobs.put(None)
        await asyncio.to_thread(self._join)

    def _join(self) -> None:
        self._writer.join()
        self._readers.shutdown()
        for connection in self._read_connections:
            connection.close()
        self._read_engine.dispose()
        self._engine.dispose()

    # The reader threads

    def _read(self, op: Callable[[Connection], T]) -> T:
        try:
            connection = self._reader_connection()
            run(connection, "BEGIN")
            try:
                return op(connection)
            finally:
                run(connection, "ROLLBACK")
        except DBAPIError as error:
            raise translate(error) from error

    def _reader_connection(self) -> Connection:
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._read_engine.connect()
            self._read_connections.append(connection)
        return connection

    # The writer thread

    def _write_loop(self) -> None:
        connection: Connection | None = None
        while True:
            jobs, last = self._next_group()
            if jobs:
                connection = self._commit_group(connection, jobs)
            if last:
                break
        if connection is not None:
            connection.close()

    def _next_group(self) -> tuple[list[_Job], bool]:
        """Wait for one job, then take whatever else is there; True when it was the last group."""
        job = self._jobs.get()
        jobs: list[_Job] = []
        while job is not None and len(jobs) < MAX_GROUP:
            jobs.append(job)
            if len(jobs) == MAX_GROUP:
                break
            try:
                job = self._jobs.get_nowait()
            except Empty:
                break
        return jobs, job is None

    def _commit_group(self, connection: Connection | None, jobs: list[_Job]) -> Connection | None:
        """Run the jobs in one transaction; answer them only after its COMMIT."""
        try:
            connection = connection or self._engine.connect()
            run(connection, "BEGIN IMMEDIATE")
            scope = _WHOLE if len(jobs) == 1 else _PART
            done = [_run(connection, job, scope) for job in jobs]
            run(connection, "COMMIT")
        except Exception as error:  # noqa: BLE001 - this thread must not end: every write waits for it
            failure = _failure(error, len(jobs))
            done = [_Done(job.future, None, failure) for job in jobs]
            _abandon(connection)
            connection = None
        self._loop.call_soon_threadsafe(_resolve, done)
        return connection


def _run(connection: Connection, job: _Job, scope: _Scope) -> _Done:
    """One job in its scope: its failure is its own, unless the database itself failed."""
    _each(connection, scope.begin)
    before = changes(connection)
    try:
        result = job.op(connection)
    except DBAPIError as error:
        if isinstance(translate(error), DBAPIError):
            return _undo(connection, job, scope, error, before)
        raise
    except Exception as error:  # noqa: BLE001 - it is the caller's: handed over, not swallowed
        return _undo(connection, job, scope, error, before)
    _each(connection, scope.keep)
    return _Done(job.future, result, None)


def _undo(connection: Connection, job: _Job, scope: _Scope, error: Exception, before: int) -> _Done:
    _each(connection, scope.undo)
    if changes(connection) != before:
        connection.info.clear()  # what operations keep there for the next is of what they wrote
    return _Done(job.future, None, error)


def _each(connection: Connection, statements: tuple[str, ...]) -> None:
    for statement in statements:
        run(connection, statement)


def _failure(error: Exception, count: int) -> Exception:
    """What the callers of a group hear that was not committed."""
    if isinstance(error, DBAPIError):  # expected while the disk is full or locked
        log.error("a group of %d writes was not committed: %s", count, error.orig)
        return translate(error)
    log.error("a group of %d writes was not committed", count, exc_info=error)
    return unavailable()


def _abandon(connection: Connection | None) -> None:
    """Drop a connection whose transaction failed: closing it rolls back, the next group opens."""
    if connection is None or connection.closed:
        return
    try:
        connection.invalidate()
        connection.close()
    except Exception:
        log.exception("a connection that failed cannot be closed either")


def _resolve(done: list[_Done]) -> None:
    for future, result, error in done:
        if future.cancelled():
            continue
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)


def create_writer_engine(path: str) -> Engine:
    """Connections that write: WAL, and a commit that returns only when the disk has it."""
    return _engine(path, ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL"))


def create_reader_engine(path: str) -> Engine:
    """Connections that cannot write."""
    return _engine(path, ("PRAGMA query_only=ON",))


def _engine(path: str, pragmas: tuple[str, ...]) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        connect_args={"check_same_thread": False, "cached_statements": 256},
    )

    def prepare(dbapi_connection: Any, _record: Any) -> None:
        cursor = dbapi_connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        cursor.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        cursor.execute(f"PRAGMA wal_autocheckpoint={WAL_PAGES}")
        cursor.execute("PRAGMA foreign_keys=ON")
        for pragma in pragmas:
            cursor.execute(pragma)
        cursor.close()

    event.listen(engine, "connect", prepare)
    return engine
