"""What outlives a User's Connections, and that nothing else stays in memory."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from signaling.adapters.memory_presence import MemoryPresence
from signaling.adapters.presence_view import Kept
from signaling.adapters.redis_client import connect
from signaling.adapters.redis_presence import ROW_MS, RedisPresence
from signaling.adapters.sql import Database, SqlPresences, SqlUsers
from signaling.adapters.sql.personal import SqlPersonal
from signaling.model import Presence
from signaling.ports import PresenceManager
from tests.making import APP
from tests.redis_server import RedisServer


class Clock:
    def __init__(self) -> None:
        self.now = 1_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(database: Database) -> SqlPresences:
    users = SqlUsers(database)
    for user in ("ann", "bob"):
        await users.seen(APP, user, None, None, 1)
    return SqlPresences(database)


async def one(presence: PresenceManager, user: str = "ann") -> Presence:
    (found,) = await presence.get(APP, [user])
    return found


async def test_mode_text_and_last_seen_outlive_the_process(
    store: SqlPresences, clock: Clock
) -> None:
    first = MemoryPresence(now_ms=clock, store=store)
    await first.put(APP, "ann", "phone", "c1", "busy", "in a meeting")
    await first.put(APP, "bob", "phone", "c2", "online", None)
    clock.now = 2_000
    await first.remove(APP, "ann", "c1")
    await first.remove(APP, "bob", "c2")
    second = MemoryPresence(now_ms=clock, store=store)
    assert [p.last_seen for p in await second.get(APP, ["ann", "bob", "cy"])] == [
        2_000,
        2_000,
        None,
    ]
    await second.put(APP, "ann", "phone", "c3", "", None)
    back = await one(second)
    assert (back.status, back.text) == ("busy", "in a meeting")


async def test_the_invisible_stay_so(store: SqlPresences, clock: Clock) -> None:
    first = MemoryPresence(now_ms=clock, store=store)
    await first.put(APP, "ann", "phone", "c1", "", None)
    await first.put(APP, "ann", "phone", "c1", "invisible", None)
    clock.now = 9_000
    second = MemoryPresence(now_ms=clock, store=store)  # the first was killed
    assert not await second.put(APP, "ann", "phone", "c2", "", None)
    assert await second.live(APP, ["ann"]) == {"ann"}
    assert (await one(second)).status == "offline"
    assert (await one(second)).last_seen == 1_000
    await second.remove(APP, "ann", "c2")
    assert (await one(second)).last_seen == 1_000


async def test_who_is_gone_is_not_held_in_memory(store: SqlPresences, clock: Clock) -> None:
    presence = MemoryPresence(ttl_ms=100, now_ms=clock, store=store)
    await presence.put(APP, "ann", "phone", "c1", "", None)
    await presence.put(APP, "bob", "phone", "c2", "", None)
    await presence.get(APP, [f"stranger-{number}" for number in range(50)])
    assert len(presence) == 2
    await presence.remove(APP, "ann", "c1")
    assert len(presence) == 1
    clock.now += 100
    assert await presence.expire() == [(APP, "bob")]
    assert len(presence) == 0
    assert (await one(presence, "bob")).last_seen == clock.now


async def test_who_comes_while_leaving_is_kept_is_here(store: SqlPresences, clock: Clock) -> None:
    presence = MemoryPresence(now_ms=clock, store=store)
    await presence.put(APP, "ann", "phone", "c1", "", None)
    for turn in range(10):
        await asyncio.gather(
            presence.remove(APP, "ann", f"c{turn + 1}"),
            presence.put(APP, "ann", "phone", f"c{turn + 2}", "busy", f"{turn}"),
        )
        found = await one(presence)
        assert (found.status, found.text, len(presence)) == ("busy", f"{turn}", 1)


async def test_users_coming_at_once_are_one(store: SqlPresences, clock: Clock) -> None:
    await store.write(APP, "ann", Kept(mode="busy", text="busy"))
    presence = MemoryPresence(now_ms=clock, store=store)
    put = (presence.put(APP, "ann", f"d{n}", f"c{n}", "", None) for n in range(5))
    await asyncio.gather(*put)
    found = await one(presence)
    assert (found.status, found.text, found.devices) == ("busy", "busy", 5)


async def test_nothing_is_kept_of_who_was_erased(database: Database, store: SqlPresences) -> None:
    await store.write(APP, "ann", Kept(text="mine"))
    await store.write("other", "ann", Kept(text="mine"))  # nobody there
    personal = SqlPersonal(database)
    assert (await personal.profile(APP, "ann"))["presence"][0]["text"] == "mine"
    await personal.forget(APP, "ann")
    assert await store.read(APP, ["ann"]) == {}
    await store.write(APP, "ann", Kept(text="mine"))
    assert await store.read(APP, ["ann"]) == {}


@pytest.fixture
async def redis(redis_server: RedisServer) -> AsyncIterator[Redis]:
    client = connect(redis_server.url)
    yield client
    await client.aclose()


async def row_of(redis: Redis, prefix: str, user: str) -> str:
    """The key of a user's hash, which must be there."""
    key = f"{prefix}presence:{APP}:{user}"
    assert await redis.exists(key)
    return key


@pytest.mark.redis
async def test_what_users_said_outlives_redis(redis: Redis, store: SqlPresences) -> None:
    prefix = uuid.uuid4().hex
    presence = RedisPresence(redis, prefix, store=store)
    await presence.put(APP, "ann", "phone", "c1", "invisible", "gone fishing")
    await presence.put(APP, "bob", "phone", "c2", "", None)
    await presence.remove(APP, "bob", "c2")
    before = await presence.get(APP, ["ann", "bob", "cy"])
    assert before[1].last_seen is not None
    await redis.delete(*[await row_of(redis, prefix, user) for user in ("ann", "bob")])
    assert await presence.get(APP, ["ann", "bob", "cy"]) == before
    assert not await presence.put(APP, "ann", "phone", "c3", "", None)
    assert await presence.live(APP, ["ann"]) == {"ann"}
    assert (await one(presence)).status == "offline"
    await presence.put(APP, "ann", "phone", "c3", "busy", None)
    assert (await one(presence)).text == "gone fishing"


@pytest.mark.redis
async def test_who_ran_out_of_redis_is_kept_too(redis: Redis, store: SqlPresences) -> None:
    presence = RedisPresence(redis, uuid.uuid4().hex, ttl_ms=1, store=store)
    await presence.put(APP, "ann", "phone", "c1", "", None)
    async with asyncio.timeout(60):
        while not await presence.expire():
            await asyncio.sleep(0.01)
    kept = (await store.read(APP, ["ann"]))["ann"]
    assert kept.last_seen == (await one(presence)).last_seen is not None


@pytest.mark.redis
async def test_a_row_lives_as_long_as_connections_are_touched(
    redis: Redis, store: SqlPresences
) -> None:
    prefix = uuid.uuid4().hex
    presence = RedisPresence(redis, prefix, store=store)
    await presence.put(APP, "ann", "phone", "c1", "", None)
    key = await row_of(redis, prefix, "ann")
    assert 0 < await redis.pttl(key) <= ROW_MS
    await redis.pexpire(key, ROW_MS // 2)
    await presence.touch([(APP, "ann", "c1")])
    assert await redis.pttl(key) > ROW_MS // 2
    await presence.remove(APP, "ann", "c1")
    assert 0 < await redis.pttl(key) <= ROW_MS
