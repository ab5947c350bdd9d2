"""Callers that wait for the database share an operation, and nothing else."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from signaling.adapters.sql.gather import MANY, Gather
from signaling.adapters.sql.sqlite import SqliteDatabase
from signaling.errors import Refused


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    opened = await SqliteDatabase.open(str(tmp_path / "log.db"))
    yield opened
    await opened.close()


async def test_what_waits_is_one_operation(database: SqliteDatabase) -> None:
    groups: list[int] = []

    def double(connection: Connection, items: Sequence[int]) -> list[int]:
        groups.append(len(items))
        return [connection.execute(text("SELECT 2 * :n"), {"n": n}).scalar_one() for n in items]

    gather = Gather(database.read, double, most=64)
    assert await asyncio.gather(*map(gather.submit, range(100))) == list(range(0, 200, 2))
    assert groups == [64, 36]
    assert await gather.submit(7) == 14


async def test_a_group_of_many_is_not_followed_at_once_where_there_is_a_pace(
    database: SqliteDatabase,
) -> None:
    def same(connection: Connection, items: Sequence[int]) -> list[int]:
        return list(items)

    gather = Gather(database.write, same, most=MANY, pace_s=3_600)
    few = [gather.submit(n) for n in range(MANY - 1)]
    assert (
        len(await asyncio.gather(*few, gather.submit(7))) == MANY
    )  # ends at once, as nothing waits
    assert await gather.submit(8) == 8  # nor is who comes later kept waiting
    many = [asyncio.ensure_future(gather.submit(n)) for n in range(MANY + 1)]
    await asyncio.wait(many[:MANY])
    await database.write(lambda connection: None)  # the writer has nothing else to do
    assert [one.done() for one in many] == [True] * MANY + [False]
    for one in many:
        one.cancel()


async def test_what_is_wrong_with_one_is_no_trouble_of_the_others(
    database: SqliteDatabase,
) -> None:
    def told(connection: Connection, items: Sequence[str]) -> list[str | Refused]:
        if "bad" in items:
            raise ValueError("bad")
        return [Refused("forbidden", "no") if item == "no" else item.upper() for item in items]

    gather = Gather(database.write, told, lanes=2)
    asked = ("a", "bad", "no", "b", "bad")
    found = await asyncio.gather(*map(gather.submit, asked), return_exceptions=True)
    assert [type(one) for one in found] == [str, ValueError, Refused, str, ValueError]
    assert await asyncio.gather(*map(gather.submit, "cd")) == ["C", "D"]


async def test_a_database_that_is_away_is_asked_once(database: SqliteDatabase) -> None:
    times = 0

    def away(connection: Connection, items: Sequence[int]) -> list[int]:
        nonlocal times
        times += 1
        raise Refused("unavailable", "away")

    gather = Gather(database.read, away)
    found = await asyncio.gather(*map(gather.submit, range(50)), return_exceptions=True)
    assert all(isinstance(one, Refused) for one in found)
    assert times == 1


async def test_what_an_operation_leaves_out_comes_with_the_next(database: SqliteDatabase) -> None:
    groups: list[list[int]] = []

    def some(connection: Connection, items: Sequence[int]) -> list[int]:
        groups.append(list(items))
        return list(items[:4])

    gather = Gather(database.read, some)
    assert await asyncio.gather(*map(gather.submit, range(10))) == list(range(10))
    assert [group[0] for group in groups] == [0, 4, 8]


async def test_others_go_past_an_item_that_takes_long(database: SqliteDatabase) -> None:
    begun, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def slow(connection: Connection, items: Sequence[str]) -> list[str]:
        if "slow" in items:
            loop.call_soon_threadsafe(begun.set)
            assert go_on.wait(30)
        return list(items)

    gather = Gather(database.read, slow, lanes=2)
    waiting = asyncio.create_task(gather.submit("slow"))
    try:
        await begun.wait()
        assert await gather.submit("quick") == "quick"
        assert not waiting.done()
    finally:
        go_on.set()
    assert await waiting == "slow"


async def test_who_gives_up_is_no_trouble_of_the_others(database: SqliteDatabase) -> None:
    gather: Gather[int, int] = Gather(database.read, lambda _, items: list(items))
    tasks = [asyncio.create_task(gather.submit(n)) for n in range(3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert found[0::2] == [0, 2]
    assert isinstance(found[1], asyncio.CancelledError)
