"""What SQLite does when the disk or another process stands in the way."""

import asyncio
import shutil
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

from signaling.adapters.sql import SqlConversations, SqlLog, SqlSearch, migrate, search, sqlite
from signaling.adapters.sql.sqlite import SqliteDatabase
from signaling.adapters.sql.tables import metadata
from signaling.errors import Refused
from tests.making import group, message


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "log.db")


async def test_a_locked_database_refuses_and_recovers(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", 20)
    database = await SqliteDatabase.open(path)
    log, name = SqlLog(database), await group(SqlConversations(database), "ann")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    sends = (log.append(message(name, "ann", str(n))) for n in range(5))
    for outcome in await asyncio.gather(*sends, return_exceptions=True):
        assert isinstance(outcome, Refused)
        assert (outcome.code, outcome.retryable) == ("unavailable", True)
    assert await log.read(name, limit=9) == []
    other.execute("ROLLBACK")
    other.close()
    again = [await log.append(message(name, "ann", str(n))) for n in range(5)]
    assert [(item.event.seq, item.duplicate) for item in again] == [(n, False) for n in range(1, 6)]
    await database.close()


async def test_a_full_disk_refuses_keeps_what_was_acked_and_recovers(path: str) -> None:
    database = await SqliteDatabase.open(path)
    log, name = SqlLog(database), await group(SqlConversations(database), "ann")
    await database.write(lambda c: _limit_pages(c, extra=8))
    acked: list[int] = []

    async def fill() -> None:
        for n in range(60):
            draft = message(name, "ann", str(n), text="x" * 2_000)
            acked.append((await log.append(draft)).event.seq)

    with pytest.raises(Refused) as refused:
        await fill()
    assert refused.value.code == "unavailable"
    assert acked
    assert [event.seq for event in await log.read(name, limit=99)] == acked
    # The connection that met the full disk is gone, and with it the limit: there is room again.
    again = await log.append(message(name, "ann", "after"))
    assert again.event.seq == acked[-1] + 1
    await database.close()


def _limit_pages(connection: Connection, extra: int) -> None:
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    connection.exec_driver_sql(f"PRAGMA max_page_count={pages + extra}")


async def test_a_failing_operation_fails_alone(path: str) -> None:
    database = await SqliteDatabase.open(path)

    def insert(connection: Connection) -> int:
        connection.execute(text("INSERT INTO readers (name, position) VALUES ('x', 1)"))
        return 1

    def fail(connection: Connection) -> int:
        connection.execute(text("INSERT INTO readers (name, position) VALUES ('y', 1)"))
        raise KeyError("mine")

    def wrong(connection: Connection) -> int:
        connection.execute(text("SELECT nonsense"))
        return 1

    outcomes = await asyncio.gather(
        database.write(fail), database.write(insert), database.write(wrong), return_exceptions=True
    )
    assert isinstance(outcomes[0], KeyError)
    assert outcomes[1] == 1
    assert isinstance(outcomes[2], Exception)
    assert not isinstance(outcomes[2], Refused)
    names = await database.read(
        lambda c: list(c.execute(text("SELECT name FROM readers")).scalars())
    )
    assert names == ["x"]
    await database.close()


async def test_an_operation_that_fails_without_company_leaves_nothing_either(path: str) -> None:
    database = await SqliteDatabase.open(path)

    def fail(connection: Connection) -> int:
        connection.execute(text("INSERT INTO readers (name, position) VALUES ('y', 1)"))
        raise KeyError("mine")

    with pytest.raises(KeyError):
        await database.write(fail)
    await database.write(lambda c: c.execute(text("SELECT 1")).scalar())
    query = text("SELECT count(*) FROM readers WHERE name = 'y'")
    assert await database.read(lambda c: c.execute(query).scalar()) == 0
    await database.close()


async def test_whatever_goes_wrong_with_a_group_the_next_is_written(path: str) -> None:
    """An error that is none of the database's, between the operations of a group."""
    database = await SqliteDatabase.open(path)
    log, name = SqlLog(database), await group(SqlConversations(database), "ann")
    for _ in range(2):
        with pytest.raises(Refused) as refused:
            await asyncio.wait_for(database.write(lambda connection: connection.close()), 30)
        assert (refused.value.code, refused.value.retryable) == ("unavailable", True)
    made = await asyncio.wait_for(log.append(message(name, "ann", "1")), 30)
    assert made.event.seq == 1
    await database.close()


async def test_the_search_index_lies_still_when_it_had_to_wait_for_the_writer(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "BUSY_S", 0.0)  # it waits a moment at least
    monkeypatch.setattr(search, "INDEX_REST", 1e9)
    database = await SqliteDatabase.open(path)
    log, name = SqlLog(database), await group(SqlConversations(database), "ann")
    sent = search.INDEX_BATCH_BUSY + 10
    await asyncio.gather(*(log.append(message(name, "ann", str(n))) for n in range(sent)))
    count = text("SELECT count(*) FROM texts")
    indexing = asyncio.create_task(SqlSearch(database).index())
    await asyncio.sleep(0)  # it has asked for its turn, which is before this one
    found = await database.write(lambda c: c.execute(count).scalar_one())
    assert (found, indexing.done()) == (search.INDEX_BATCH_BUSY, False)
    indexing.cancel()
    monkeypatch.setattr(search, "BUSY_S", 1e9)
    await SqlSearch(database).index()
    assert await database.read(lambda c: c.execute(count).scalar_one()) == sent
    await database.close()


async def test_readers_cannot_write(path: str) -> None:
    database = await SqliteDatabase.open(path)
    with pytest.raises(Refused):
        await database.read(lambda c: c.execute(text("DELETE FROM events")).rowcount)
    await database.close()


async def test_close_finishes_what_was_asked_and_then_refuses(path: str) -> None:
    database = await SqliteDatabase.open(path)
    log, name = SqlLog(database), await group(SqlConversations(database), "ann")
    sends = [asyncio.create_task(log.append(message(name, "ann", str(n)))) for n in range(9)]
    await asyncio.sleep(0)
    await asyncio.gather(*sends)
    await database.close()
    await database.close()
    with pytest.raises(Refused) as refused:
        await log.append(message(name, "ann", "late"))
    assert refused.value.code == "unavailable"
    again = await SqliteDatabase.open(path)
    assert len(await SqlLog(again).read(name, limit=99)) == 9
    await again.close()


async def test_two_processes_share_one_file_in_one_order(path: str) -> None:
    one, two = await SqliteDatabase.open(path), await SqliteDatabase.open(path)
    logs = (SqlLog(one), SqlLog(two))
    name = await group(SqlConversations(one), "ann", "bob")
    made = await asyncio.gather(
        *(logs[n % 2].append(message(name, "ann", str(n))) for n in range(60))
    )
    assert sorted(item.event.seq for item in made) == list(range(1, 61))
    events, _ = await logs[0].tail(0, 99)
    assert [event.seq for _, event in events] == list(range(1, 61))
    twice = await asyncio.gather(*(log.append(message(name, "bob", "same")) for log in logs))
    assert sorted(item.duplicate for item in twice) == [False, True]
    await one.close()
    await two.close()


async def test_the_log_survives_a_crash_of_the_process(path: str) -> None:
    """A copy of the files, made without closing, is what a killed process leaves."""
    database = await SqliteDatabase.open(path)
    log, name = SqlLog(database), await group(SqlConversations(database), "ann")
    await log.append(message(name, "ann", "x"))
    left = Path(path).with_name("left.db")
    for suffix in ("", "-wal"):
        await asyncio.to_thread(shutil.copyfile, path + suffix, f"{left}{suffix}")
    await database.close()
    revived = await SqliteDatabase.open(str(left))
    assert [event.seq for event in await SqlLog(revived).read(name, limit=9)] == [1]
    again = await SqlLog(revived).append(message(name, "ann", "x"))
    assert again.duplicate
    await revived.close()


def test_migrations_make_the_tables_the_code_uses(path: str) -> None:
    engine = create_engine(f"sqlite:///{path}", isolation_level="AUTOCOMMIT")
    migrate.migrate(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"include_name": lambda name, kind, _: not (name or "").startswith("texts_fts")},
        )
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_migrations_are_one_line() -> None:
    assert ScriptDirectory.from_config(migrate.config()).get_heads() == [migrate.newest()]
