"""Rates of all nodes together: never more than one node would allow, nearly as much."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from signaling.adapters.redis_client import connect
from signaling.adapters.redis_rates import RedisPot
from signaling.allowance import Rate, Standing
from signaling.errors import Refused
from signaling.shared_allowance import DRAWS_PER_S, KEPT_MS, SharedAllowance
from tests.redis_server import RedisServer

pytestmark = pytest.mark.redis

SLOW = 0.001
"""Tokens a second: none comes back during a test."""


class Clock:
    """UTC milliseconds that a test moves."""

    now = 1_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
async def pot(redis_server: RedisServer) -> AsyncIterator[RedisPot]:
    client = connect(redis_server.url)
    await client.flushdb()
    yield RedisPot(client, "t:")
    await client.aclose()


async def test_a_pot_gives_what_is_there_and_says_when(pot: RedisPot) -> None:
    assert await pot.draw("app", "a", SLOW, 10, 4) == (4, 0, 6)
    assert await pot.draw("app", "a", SLOW, 10, 100) == (6, 0, 0)
    given, wait_ms, _ = await pot.draw("app", "a", SLOW, 10, 1)
    assert given == 0
    assert 0 < wait_ms <= 1000 / SLOW
    assert await pot.draw("app", "b", SLOW, 10, 1) == (1, 0, 9)
    assert await pot.draw("user", "a", SLOW, 10, 1) == (1, 0, 9)


async def test_tokens_come_back(pot: RedisPot) -> None:
    assert await pot.draw("app", "a", 1_000_000, 5, 5) == (5, 0, 0)
    async with asyncio.timeout(60):
        while (await pot.draw("app", "a", 1_000_000, 5, 5))[0] == 0:
            pass


async def taken(allowance: SharedAllowance, tries: int) -> int:
    async def one() -> bool:
        try:
            await allowance.take("a")
        except Refused as refused:
            return refused.retry_after_ms is None
        return True

    return sum(await asyncio.gather(*(one() for _ in range(tries))))


async def test_two_nodes_share_one_rate(pot: RedisPot) -> None:
    rate = Rate(SLOW, 50)
    nodes = [SharedAllowance("app", rate, pot, Clock()) for _ in range(2)]
    first, second = await asyncio.gather(*(taken(node, 100) for node in nodes))
    assert first + second == 50


async def test_a_fast_caller_draws_several_at_once(pot: RedisPot) -> None:
    class Counting:
        drawn = 0

        async def draw(
            self, kind: str, key: str, per_second: float, burst: float, most: int
        ) -> tuple[int, int, int]:
            self.drawn += 1
            return most, 0, 0

    counting, clock = Counting(), Clock()
    allowance = SharedAllowance("app", Rate(1000, 1000), counting, clock)
    assert await taken(allowance, 1000) == 1000
    assert counting.drawn == DRAWS_PER_S
    await allowance.take("a")
    clock.now += KEPT_MS + 1
    await allowance.take("a")
    assert counting.drawn == DRAWS_PER_S + 2, "old tokens are given up"


async def test_an_empty_pot_is_not_asked_again_before_its_time(pot: RedisPot) -> None:
    clock = Clock()
    allowance = SharedAllowance("app", Rate(SLOW, 1), pot, clock)
    await allowance.take("a")
    with pytest.raises(Refused) as refused:
        await allowance.take("a")
    assert refused.value.code == "rate_limited"
    first = refused.value.retry_after_ms or 0
    clock.now += 100
    with pytest.raises(Refused) as refused:
        await allowance.take("a")
    assert refused.value.retry_after_ms == first - 100


async def test_without_redis_each_node_allows_the_rate_by_itself() -> None:
    client = connect("redis://127.0.0.1:1/0")
    allowance = SharedAllowance("app", Rate(SLOW, 3), RedisPot(client, "t:"), Clock())
    assert await taken(allowance, 10) == 3
    await client.aclose()


async def test_no_rate_asks_nobody() -> None:
    client = connect("redis://127.0.0.1:1/0")
    allowance = SharedAllowance("app", Rate(0, 0), RedisPot(client, "t:"), Clock())
    assert await taken(allowance, 10) == 10
    await client.aclose()


async def test_a_node_says_what_is_left_as_far_as_it_knows(pot: RedisPot) -> None:
    clock = Clock()
    allowance = SharedAllowance("app", Rate(SLOW, 10), pot, clock)
    assert allowance.standing("a") == Standing(10, 10, 0)
    assert await taken(allowance, 4) == 4
    standing = allowance.standing("a")
    assert standing is not None
    assert (standing.limit, standing.remaining) == (10, 6)
    other = SharedAllowance("app", Rate(SLOW, 10), pot, clock)
    assert await taken(other, 10) == 6
    assert await taken(allowance, 1) == 0
    standing = allowance.standing("a")
    assert standing is not None
    assert standing.remaining == 0
