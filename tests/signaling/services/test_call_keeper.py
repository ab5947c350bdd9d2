"""Calls that nobody would end: they are ended once, and not while somebody does."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from signaling.adapters.memory_presence import MemoryPresence
from signaling.adapters.memory_registry import MemoryRegistry
from signaling.adapters.sql import Database, SqlCalls
from signaling.ports import LiveCall
from signaling.services.call_ends import CallEnds
from signaling.services.call_host import CallHost
from signaling.services.call_keeper import SILENT_MS, CallKeeper
from signaling.tasks import Tasks
from tests.house import House
from tests.making import identity

ANN = identity("ann")


class SlowToAnswer(SqlCalls):
    """Its answer to which calls are unattended arrives when it is let."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.read, self.arrives = asyncio.Event(), asyncio.Event()
        self.arrives.set()

    async def unattended(self, node: str, seen_before: int) -> list[LiveCall]:
        found = await super().unattended(node, seen_before)
        self.read.set()
        await self.arrives.wait()
        return found


class Nodes:
    """`host(name)` and `keeper(name)` of nodes on one database; only "one" is announced."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.store = SlowToAnswer(house.database)
        self.tasks = Tasks()
        ear: Any = house.ear
        self._ends = CallEnds(house.log, self.store, ear, lambda: house.now)
        self._registry = MemoryRegistry()

    def host(self, name: str) -> CallHost:
        ear: Any = self.house.ear
        return CallHost(name, self._ends, self.store, ear, lambda: self.house.now, self.tasks)

    def keeper(self, name: str, host: CallHost) -> CallKeeper:
        return CallKeeper(
            node=name,
            host=host,
            ends=self._ends,
            store=self.store,
            registry=self._registry,
            presence=MemoryPresence(),
            clock=lambda: self.house.now,
            tasks=self.tasks,
            alone=False,
        )

    def outcomes(self) -> list[str]:
        """As the parties were told."""
        told = [
            hint.data["call"] for _, hint in self.house.ear.heard if hint.event == "call:changed"
        ]
        return [call["outcome"] for call in told if call["state"] == "ended"]


@pytest.fixture
async def nodes(house: House) -> AsyncIterator[Nodes]:
    made = Nodes(house)
    yield made
    await made.tasks.close()


async def test_a_call_that_ends_while_calls_are_looked_at_is_ended_once(nodes: Nodes) -> None:
    place = await nodes.house.direct("ann", "bob")
    host = nodes.host("one")
    keeper = nodes.keeper("one", host)
    call = await host.invite(ANN, place, "audio", "1", ["bob"])
    nodes.store.arrives.clear()
    looking = asyncio.create_task(keeper.round())  # sees it, still going on
    await nodes.store.read.wait()
    await host.cancel(ANN, call.id)
    await asyncio.gather(*host._writing)
    nodes.store.arrives.set()
    await looking
    assert nodes.outcomes() == ["cancelled"] * 2
    assert keeper.settled_total == 0


async def test_of_several_nodes_one_tells_that_a_dead_one_s_call_is_over(nodes: Nodes) -> None:
    place = await nodes.house.direct("ann", "bob")
    await nodes.host("dead").invite(ANN, place, "audio", "1", ["bob"])
    nodes.house.now += SILENT_MS + 1
    keepers = [nodes.keeper(name, nodes.host(name)) for name in ("two", "three")]
    await asyncio.gather(*(keeper.round() for keeper in keepers))
    assert nodes.outcomes() == ["missed"] * 2
    assert sum(keeper.settled_total for keeper in keepers) == 1
