"""The Ledger's contract, and what nodes make of it: a limit holds over all of them, what a dead one
had is free again, and without a ledger each counts alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from signaling.errors import Refused
from signaling.ports import Claim, Ledger, Told
from signaling.shared_seats import Roll
from tests.contract.worlds import PERIOD_MS, World

TIMEOUT_S = 60.0


def claim(held: int, wanted: int, limit: int = 5, key: str = "user:a") -> Claim:
    return Claim(key, held, wanted, limit)


async def test_no_holder_gets_what_others_have(world: World) -> None:
    ledger = world.ledger()
    assert await ledger.tell("one", [claim(0, 4)]) == Told(False, [4])
    assert await ledger.tell("two", [claim(0, 4), claim(0, 4, key="user:b")]) == (False, [1, 4])
    assert await ledger.tell("one", [claim(4, 5), claim(0, 0, key="user:b")]) == (True, [4, 0])
    assert await ledger.tell("one", [claim(1, 1)]) == (True, [1])
    assert await ledger.tell("two", [claim(1, 9)]) == (True, [4])
    await ledger.withdraw("two")
    assert await ledger.tell("one", [claim(1, 9)]) == (True, [5])


async def test_what_is_held_already_stays_whatever_the_limit(world: World) -> None:
    ledger = world.ledger()
    await ledger.tell("one", [claim(0, 5)])
    assert await ledger.tell("two", [claim(3, 4)]) == (False, [3])
    assert await ledger.tell("one", [claim(5, 5)]) == (True, [5])
    assert await ledger.tell("three", [claim(0, 1)]) == (False, [0])


async def test_who_says_nothing_has_nothing_after_a_period(world: World) -> None:
    ledger = world.ledger()
    await ledger.tell("dead", [claim(0, 3)])
    await world.passes(PERIOD_MS)
    assert await ledger.tell("one", [claim(0, 5)]) == (False, [5])
    assert await ledger.tell("dead", []) == (False, [])
    assert await ledger.tell("two", [claim(0, 1)]) == (False, [0])


class Rolls:
    """Nodes on one ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._made: list[Roll] = []

    def node(self, name: str) -> Roll:
        roll = Roll(self.ledger, name)
        self._made.append(roll)
        roll.start()
        return roll

    async def close(self) -> None:
        for roll in self._made:
            await roll.close()


@pytest.fixture
async def rolls(world: World) -> AsyncIterator[Rolls]:
    made = Rolls(world.ledger())
    yield made
    await made.close()


async def taken(roll: Roll, tries: int, limit: int) -> int:
    return sum(await asyncio.gather(*(roll.take("user:a", limit) for _ in range(tries))))


async def test_of_a_crowd_at_several_nodes_as_many_get_in_as_there_are_seats(rolls: Rolls) -> None:
    nodes = [rolls.node(name) for name in ("one", "two", "three")]
    assert sum(await asyncio.gather(*(taken(node, 40, 50) for node in nodes))) == 50


async def test_a_seat_that_is_left_is_free_elsewhere(rolls: Rolls) -> None:
    one, two = rolls.node("one"), rolls.node("two")
    assert await taken(one, 2, 2) == 2
    assert not await two.take("user:a", 2)
    assert await two.take("user:b", 2)
    one.leave("user:a")
    async with asyncio.timeout(TIMEOUT_S):
        while not await two.take("user:a", 2):
            pass
    assert not await two.take("user:a", 2)
    assert not await one.take("user:a", 2)


async def test_who_goes_before_the_answer_has_no_seat(rolls: Rolls) -> None:
    one = rolls.node("one")
    waiting = asyncio.create_task(one.take("user:a", 1))
    await asyncio.sleep(0)
    waiting.cancel()
    await until_seated(rolls.node("two"))


class Slow:
    """A ledger whose answer comes together with something else."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.meanwhile: list[Callable[[], object]] = []

    async def tell(self, holder: str, claims: Sequence[Claim]) -> Told:
        told = await self._ledger.tell(holder, claims)
        while claims and self.meanwhile:
            asyncio.get_running_loop().call_soon(self.meanwhile.pop())
        return told

    async def withdraw(self, holder: str) -> None:
        await self._ledger.withdraw(holder)


async def test_who_goes_as_the_answer_comes_has_no_seat(world: World) -> None:
    ledger = Slow(world.ledger())
    rolls = Rolls(ledger)
    waiting = asyncio.create_task(rolls.node("one").take("user:a", 1))
    ledger.meanwhile.append(waiting.cancel)
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await until_seated(rolls.node("two"))
    await rolls.close()


async def until_seated(roll: Roll) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        while not await roll.take("user:a", 1):
            pass


async def test_a_node_remembers_nobody_who_left(rolls: Rolls) -> None:
    one = rolls.node("one")
    assert await taken(one, 3, 9) == 3
    for _ in range(3):
        one.leave("user:a")
    async with asyncio.timeout(TIMEOUT_S):
        while len(one):
            await asyncio.sleep(0.01)


async def until_held(ledger: Ledger, count: int) -> None:
    """Wait until that many seats are known to be taken."""
    async with asyncio.timeout(TIMEOUT_S):
        while (await ledger.tell("probe", [claim(0, 1, limit=count)])).granted == [1]:
            await ledger.tell("probe", [claim(0, 0)])
            await asyncio.sleep(0.01)


class Away:
    """A ledger that can be unplugged."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.away = False

    async def tell(self, holder: str, claims: Sequence[Claim]) -> Told:
        if self.away:
            raise Refused("unavailable", "the shared state is away")
        return await self._ledger.tell(holder, claims)

    async def withdraw(self, holder: str) -> None:
        await self._ledger.withdraw(holder)


async def test_without_a_ledger_each_node_counts_alone_and_says_it_all_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signaling.shared_seats.BEAT_S", 0.05)
    ledger = Away(world.ledger())
    rolls = Rolls(ledger)
    one, two = rolls.node("one"), rolls.node("two")
    assert await one.take("user:a", 3)
    ledger.away = True
    assert await taken(one, 5, 3) == 2
    assert await taken(two, 5, 3) == 3
    ledger.away = False
    await until_held(ledger, 6)
    async with asyncio.timeout(TIMEOUT_S):
        while two._away:  # the ledger has heard it, the answer may be on its way
            await asyncio.sleep(0.01)
    for _ in range(3):
        two.leave("user:a")
    assert not await two.take("user:a", 3), "the other has all three"
    await rolls.close()


async def test_a_ledger_that_forgot_is_told_everything_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signaling.shared_seats.BEAT_S", 0.05)
    rolls = Rolls(world.ledger())
    one = rolls.node("one")
    assert await taken(one, 2, 2) == 2
    await rolls.ledger.withdraw(one._holder)
    await until_held(rolls.ledger, 2)
    assert not await rolls.node("two").take("user:a", 2)
    await rolls.close()


class Back(Away):
    """A ledger that is there again, and whose answer is held up."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger)
        self.asked, self.answers = asyncio.Event(), asyncio.Event()

    async def tell(self, holder: str, claims: Sequence[Claim]) -> Told:
        if claims and not self.away:
            self.asked.set()
            await self.answers.wait()
        return await super().tell(holder, claims)


async def test_who_goes_while_a_ledger_that_is_back_hears_of_them_is_forgotten(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signaling.shared_seats.BEAT_S", 0.05)
    ledger = Back(world.ledger())
    rolls = Rolls(ledger)
    one = rolls.node("one")
    ledger.away = True
    assert await one.take("user:a", 1)
    ledger.away = False
    async with asyncio.timeout(TIMEOUT_S):
        await ledger.asked.wait()
    one.leave("user:a")
    ledger.answers.set()
    async with asyncio.timeout(TIMEOUT_S):
        while len(one):
            await asyncio.sleep(0.01)
    await until_seated(rolls.node("two"))
    await rolls.close()
