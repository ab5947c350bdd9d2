"""A Device that leaves a Room and enters it again at once, as a page does that is reloaded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest
from msgspec.structs import replace

from media import Sfu, SfuConfig
from signaling import topics
from signaling.adapters.memory_broker import MemoryBroker
from signaling.adapters.memory_registry import MemoryRegistry
from signaling.errors import Refused
from signaling.model import Grants, Identity
from signaling.ports import Hint
from signaling.protocol import rooms as wire
from signaling.services.room_host import RoomHost
from signaling.services.room_outbox import RoomOutbox
from signaling.services.rooms import Rooms
from signaling.tasks import Tasks
from tests.making import APP, identity
from tests.signaling.node_world import Sockets

LOBBY = "lobby"
WAIT_S = 60.0
OLD = replace(identity("bob"), connection="old page", grants=Grants(rooms=("*",)))
NEW = replace(OLD, connection="new page")


class Nobody:
    """No conversations: the Rooms are standalone ones."""

    async def get(self, app: str, conversation: str) -> None:
        """None of that name."""

    async def member(self, conversation: str, user: str) -> None:
        """Nobody."""

    async def kept_out(self, conversation: str, user: str, now: int) -> bool:
        return False


class Ears:
    """Hears all."""

    async def listen(self, connection: str, topics: Iterable[str]) -> None:
        """From now on."""

    async def unlisten(self, connection: str, topics: Iterable[str]) -> None:
        """No more."""


class House:
    """The Rooms of one node; what they have to say is kept back until `tell`."""

    def __init__(self) -> None:
        self.tasks = Tasks()
        self.broker = MemoryBroker("one")
        self.outbox = RoomOutbox(self.broker, self.tasks)
        self.sfu = Sfu(SfuConfig(host="127.0.0.1", port=0), lambda _: None)
        self.host = RoomHost(self.sfu, self.outbox, self.tasks, lambda _: None)
        self.rooms = Rooms(
            node="one",
            host=self.host,
            broker=self.broker,
            registry=MemoryRegistry(),
            listening=Ears(),
            connections=Sockets(),
            members=Nobody(),
            tasks=self.tasks,
            clock=lambda: 0,
        )

    async def tell(self) -> None:
        """What was said so far reaches the node, and it has done with it."""
        await self.broker.start(self._heard, self._asked, lambda: None)
        await self.broker.subscribe([topics.room(APP, LOBBY)])
        self.outbox.start()
        await self.outbox.flush(WAIT_S)
        await asyncio.gather(*(task for task in asyncio.all_tasks() if "forget" in task.get_name()))

    async def sits(self, who: Identity) -> bool:
        """Whether what is asked from that place is answered."""
        try:
            await self.rooms.update(who, wire.ParticipantUpdate(room=LOBBY, attributes={}))
        except Refused:
            return False
        return True

    def _heard(self, _topic: str, hint: Hint) -> None:
        if hint.event == "participant:left":
            self.rooms.participant_left(APP, hint)

    async def _asked(self, verb: str, _body: dict[str, Any]) -> dict[str, Any]:
        raise Refused("unsupported", verb)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    made = House()
    await made.sfu.start()
    yield made
    await made.tasks.close()
    await made.sfu.close()


JOIN = wire.RoomJoin(room=LOBBY)
LEAVE = wire.RoomLeave(room=LOBBY)


async def test_what_an_old_page_says_late_does_not_put_the_new_one_out(house: House) -> None:
    await house.rooms.join(OLD, JOIN)
    await house.rooms.join(NEW, JOIN)
    await house.rooms.leave(OLD, LEAVE)
    assert await house.sits(NEW)
    assert not await house.sits(OLD)
    await house.rooms.leave(NEW, LEAVE)
    assert not house.host.rooms


@pytest.mark.parametrize("again", [NEW, OLD], ids=lambda who: who.connection)
async def test_who_came_again_keeps_the_seat_when_it_is_told_that_they_left(
    house: House, again: Identity
) -> None:
    await house.rooms.join(OLD, JOIN)
    await house.rooms.leave(OLD, LEAVE)
    await house.rooms.join(again, JOIN)
    await house.tell()
    assert await house.sits(again)


async def test_who_is_put_out_has_no_seat_any_more(house: House) -> None:
    await house.rooms.join(OLD, JOIN)
    (room,) = house.host.rooms.values()
    (bob,) = room.participants.values()
    house.host.remove(room, bob, "removed")
    await house.tell()
    assert not await house.rooms.present(OLD, LOBBY)


async def test_clients_are_not_told_which_stay_it_is(house: House) -> None:
    assert "stay" not in await house.rooms.join(OLD, JOIN)
