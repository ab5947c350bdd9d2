"""What only the Redis broker has to stand: forged payloads, and a Redis that dies and returns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from signaling.adapters.bus_frames import Forged, Frames, HintBody
from signaling.adapters.redis_broker import RedisBroker
from signaling.adapters.redis_client import connect
from signaling.errors import Refused
from signaling.ports import Hint
from tests.redis_server import RedisServer

TIMEOUT_S = 45.0
KEY = b"k" * 32
HINT = Hint(event="message:created", data={"n": 1})

pytestmark = pytest.mark.redis


@pytest.fixture
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.kill()


class Heard:
    def __init__(self, url: str, node: str, key: bytes = KEY) -> None:
        self.broker = RedisBroker(url, node, key, "t:")
        self.hints: list[tuple[str, Hint]] = []
        self.gaps = 0

    async def start(self) -> Heard:
        await self.broker.start(lambda t, h: self.hints.append((t, h)), _echo, self._gap)
        return self

    def _gap(self) -> None:
        self.gaps += 1


async def _echo(verb: str, body: dict[str, Any]) -> dict[str, Any]:
    if verb == "double":
        return {"n": 2 * body["n"]}
    return {"verb": verb, **body}


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        while not true():
            await asyncio.sleep(0.01)


@pytest.fixture
async def pair(own_redis: RedisServer) -> AsyncIterator[tuple[Heard, Heard]]:
    one = await Heard(own_redis.url, "one").start()
    two = await Heard(own_redis.url, "two").start()
    yield one, two
    await one.broker.close()
    await two.broker.close()


async def test_foreign_tampered_and_repeated_payloads_are_counted_and_dropped(
    own_redis: RedisServer, pair: tuple[Heard, Heard]
) -> None:
    _, two = pair
    await two.broker.subscribe(["c:a:x", "c:a:y"])
    good = Frames(KEY, "three/1").seal(b"t:c:a:x", HintBody(HINT))
    client = connect(own_redis.url)
    await client.publish("t:c:a:x", b"not a frame at all")
    await client.publish("t:c:a:x", b"")
    await client.publish("t:c:a:x", Frames(b"o" * 32, "three/1").seal(b"t:c:a:x", HintBody(HINT)))
    await client.publish("t:c:a:x", good[:-1] + bytes([good[-1] ^ 1]))
    await client.publish("t:c:a:y", good)  # signed for another channel
    await client.publish("t:c:a:x", good)
    await client.publish("t:c:a:x", good)  # replayed
    await until(lambda: two.broker.forged_total == 6)
    assert two.hints == [("c:a:x", HINT)]
    await client.aclose()


def test_what_was_signed_but_is_no_frame_is_forged() -> None:
    frames = Frames(KEY, "one/1")
    payload = b"\x93\x01\x02"
    with pytest.raises(Forged):
        frames.open(b"c", frames._mac(b"c", payload) + payload)


async def test_what_no_frame_can_hold_is_counted_and_silences_nobody(
    pair: tuple[Heard, Heard],
) -> None:
    one, two = pair
    await two.broker.subscribe(["c:a:x"])
    await one.broker.publish("c:a:x", Hint(event="message:created", data={"n": 2**64}))
    with pytest.raises(Refused) as caught:
        await one.broker.request("two", "echo", {"n": -(2**63) - 1}, TIMEOUT_S)
    assert caught.value.code == "bad_request"
    with pytest.raises(Refused) as caught:
        await one.broker.request("two", "double", {"n": 2**63}, TIMEOUT_S)
    assert caught.value.code == "internal"
    await one.broker.publish("c:a:x", HINT)
    await until(lambda: two.hints == [("c:a:x", HINT)])
    assert await one.broker.request("two", "echo", {"n": 1}, TIMEOUT_S) == {"verb": "echo", "n": 1}
    assert (one.broker.unsealable_total, two.broker.unsealable_total) == (2, 1)


async def test_a_redis_that_returns_is_a_gap_and_hints_flow_again(
    own_redis: RedisServer, pair: tuple[Heard, Heard]
) -> None:
    one, two = pair
    await two.broker.subscribe(["c:a:x"])
    own_redis.kill()
    await one.broker.publish("c:a:x", HINT)
    with pytest.raises(Refused) as caught:
        await one.broker.request("two", "echo", {}, TIMEOUT_S)
    assert caught.value.code == "unavailable"
    await two.broker.subscribe(["c:a:meanwhile"])
    own_redis.start()
    await until(lambda: one.gaps > 0 and two.gaps > 0)
    assert two.hints == []

    async def heard_again() -> None:
        while not two.hints:
            await one.broker.publish("c:a:meanwhile", HINT)
            await asyncio.sleep(0.02)

    await asyncio.wait_for(heard_again(), TIMEOUT_S)
    assert await one.broker.request("two", "echo", {"n": 2}, TIMEOUT_S) == {"verb": "echo", "n": 2}
    assert one.broker.lost_total > 0


async def test_local_listeners_hear_while_redis_is_away(
    own_redis: RedisServer, pair: tuple[Heard, Heard]
) -> None:
    one, _ = pair
    own_redis.kill()
    await one.broker.subscribe(["c:a:x"])
    await one.broker.publish("c:a:x", HINT)
    assert one.hints == [("c:a:x", HINT)]


async def test_a_broker_started_before_redis_joins_in_later(
    own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signaling.adapters.redis_broker.START_S", 0.1)
    own_redis.kill()
    one = await Heard(own_redis.url, "one").start()
    own_redis.start()
    await until(lambda: one.gaps == 1)
    await one.broker.close()
