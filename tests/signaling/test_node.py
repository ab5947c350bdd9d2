"""The node between log, broker and sockets: order, gaps, membership, and the moment of opening."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from signaling import topics
from signaling.adapters.memory_broker import Bus, MemoryBroker
from signaling.adapters.memory_registry import MemoryRegistry
from signaling.adapters.sql import SqlConversations, SqlLog, SqlUsers, open_database
from signaling.auth.registry import now_ms
from signaling.model import Conversation, Event, Identity, Member
from signaling.node import Node
from signaling.ports import Hint
from tests.making import APP, identity, joined, message

HALL = "c_hall"


class Sockets:
    """The gateway's side of the seam: what was written to whom."""

    def __init__(self) -> None:
        self.told: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
        self.closed: list[tuple[str, str]] = []
        self._news = asyncio.Event()

    def emit(
        self,
        connections: Iterable[str],
        event: str,
        data: Mapping[str, Any],
        *,
        volatile: bool = False,
    ) -> None:
        for connection in connections:
            self.told.setdefault(connection, []).append((event, data))
        self._news.set()

    def close(self, connection: str, reason: str) -> None:
        self.closed.append((connection, reason))

    def seqs(self, who: Identity) -> list[int]:
        return [data["seq"] for _, data in self.told.get(who.connection, []) if "seq" in data]

    async def until(self, who: Identity, seqs: list[int]) -> None:
        async with asyncio.timeout(5):
            while self.seqs(who) != seqs:
                self._news.clear()
                await self._news.wait()


class Snapshot:
    """What `session:ready` is computed from; it may be held up to let events happen meanwhile."""

    def __init__(self, conversations: SqlConversations) -> None:
        self._conversations = conversations
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def ready(self, who: Identity, cursor: str | None) -> dict[str, Any]:
        standings = await self._conversations.standings(who.app, who.user)
        missed = [{"id": one.conversation.id, "head": one.conversation.head} for one in standings]
        self.begun.set()
        await self.go_on.wait()
        return {"cursor": "x", "missed": {"conversations": missed}}


class World:
    """One node over a real log, and a second broker on its bus that plays the other node."""

    def __init__(self, log: SqlLog, conversations: SqlConversations, users: SqlUsers) -> None:
        self.log = log
        self.conversations = conversations
        bus = Bus()
        self.sockets = Sockets()
        self.snapshot = Snapshot(conversations)
        self.elsewhere = MemoryBroker("two", bus)
        self.node = Node(
            name="one",
            broker=MemoryBroker("one", bus),
            registry=MemoryRegistry(),
            connections=self.sockets,
            log=log,
            members=conversations,
            users=users,
            sync=self.snapshot,
            verify=_no_tokens,
            clock=now_ms,
            alone=False,
        )

    async def join(self, user: str) -> Event:
        """A new member; nothing is published."""
        appended = await self.log.append(joined(HALL, user))
        return appended.event

    async def say(self, text: str = "hello") -> Event:
        """Append; nothing is published."""
        return (await self.log.append(message(HALL, "ann", text, text=text))).event

    async def hint(self, event: Event) -> None:
        hint = Hint(event=event.type, data=event.to_wire())
        await self.publish(topics.conversation(APP, HALL), hint)

    async def publish(self, topic: str, hint: Hint) -> None:
        """From the other node; heard by this one on the next turn of the loop."""
        await self.elsewhere.publish(topic, hint)
        await asyncio.sleep(0)


async def _no_tokens(token: str) -> Any:
    raise AssertionError("nobody connects with a token here")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    database = await open_database(f"sqlite:///{tmp_path}/log.db")
    made = World(SqlLog(database), SqlConversations(database), SqlUsers(database))
    conversation = Conversation(id=HALL, app=APP, type="group", created_at=1, created_by="ann")
    members = [
        Member(conversation=HALL, user=user, role="member", joined_at=1) for user in ("ann", "bob")
    ]
    await made.conversations.create(conversation, members, [])
    await made.node.start()
    yield made
    await made.node.close()
    await database.close()


async def test_hints_pass_in_order_and_once(world: World) -> None:
    ann = identity("ann")
    await world.node.opened(ann, None)
    one, two = await world.say("1"), await world.say("2")
    for event in (one, one, two, one, two):
        await world.hint(event)
    assert world.sockets.seqs(ann) == [1, 2]


async def test_a_hint_behind_a_gap_brings_what_was_lost_first(world: World) -> None:
    ann = identity("ann")
    await world.node.opened(ann, None)
    await world.hint(await world.say("1"))
    for text in ("2", "3"):
        await world.say(text)  # lost on the way
    last = await world.say("4")
    await world.hint(last)
    await world.sockets.until(ann, [1, 2, 3, 4])
    await world.hint(last)
    assert world.sockets.seqs(ann) == [1, 2, 3, 4]


async def test_hints_that_overtake_each_other_are_put_in_order(world: World) -> None:
    ann = identity("ann")
    await world.node.opened(ann, None)
    events = [await world.say(str(n)) for n in range(5)]
    for event in (events[3], events[1], events[0], events[4], events[2]):
        await world.hint(event)
    await world.sockets.until(ann, [1, 2, 3, 4, 5])


async def test_the_tail_brings_what_no_hint_announced(world: World) -> None:
    ann = identity("ann")
    await world.node.opened(ann, None)
    await world.hint(await world.say("1"))
    for text in ("2", "3"):
        await world.say(text)
    await world.node.tail.round()
    await world.sockets.until(ann, [1, 2, 3])
    await world.node.tail.round()
    assert world.sockets.seqs(ann) == [1, 2, 3]


async def test_a_lost_hint_that_nobody_here_listens_to_costs_nothing(world: World) -> None:
    await world.say("1")
    await world.node.tail.round()
    assert world.sockets.told == {}


async def test_what_the_snapshot_holds_is_not_told_again(world: World) -> None:
    """Events between subscribing and `session:ready` come after it, those in it do not."""
    ann, bob = identity("ann"), identity("bob")
    await world.node.opened(bob, None)
    world.snapshot.begun.clear()
    before = await world.say("1")
    world.snapshot.go_on.clear()
    opening = asyncio.create_task(world.node.opened(ann, None))
    await world.snapshot.begun.wait()
    during = await world.say("2")
    await world.hint(before)
    await world.hint(during)
    assert world.sockets.seqs(ann) == []
    world.snapshot.go_on.set()
    ready = await opening
    assert ready["missed"]["conversations"][0]["head"] == 1
    await world.hint(await world.say("3"))
    assert world.sockets.seqs(ann) == [2, 3]
    assert world.sockets.seqs(bob) == [1, 2, 3]


async def test_a_snapshot_ahead_of_the_node_spares_that_connection(world: World) -> None:
    ann, bob = identity("ann"), identity("bob")
    await world.node.opened(bob, None)
    await world.hint(await world.say("1"))
    two = await world.say("2")  # committed, its hint still on the way
    await world.node.opened(ann, None)
    await world.hint(two)
    await world.hint(await world.say("3"))
    assert world.sockets.seqs(bob) == [1, 2, 3]
    assert world.sockets.seqs(ann) == [3]


async def test_a_new_member_listens_from_the_joining_on(world: World) -> None:
    ann, cy = identity("ann"), identity("cy")
    await world.node.opened(ann, None)
    await world.node.opened(cy, None)
    await world.say("1")  # lost: ann shall get it, cy never
    event = await world.join("cy")
    hint = Hint(event="member:joined", data=event.to_wire())
    await world.publish(topics.user(APP, "cy"), hint)
    await world.sockets.until(cy, [2])
    await world.sockets.until(ann, [1, 2])
    await world.hint(event)
    await world.hint(await world.say("3"))
    assert world.sockets.seqs(cy) == [2, 3]
    assert world.sockets.seqs(ann) == [1, 2, 3]


async def test_revocation_cuts_the_device_named(world: World) -> None:
    phone, laptop = identity("ann"), identity("ann", device="laptop")
    await world.node.opened(phone, None)
    await world.node.opened(laptop, None)
    hint = Hint(event="session:revoked", data={"device": "laptop", "reason": "signed_out"})
    await world.publish(topics.user(APP, "ann"), hint)
    assert world.sockets.closed == [(laptop.connection, "revoked")]
    await world.publish(topics.user(APP, "ann"), Hint(event="session:revoked", data={}))
    assert set(world.sockets.closed) == {
        (laptop.connection, "revoked"),
        (phone.connection, "revoked"),
    }


async def test_a_closed_connection_hears_nothing(world: World) -> None:
    ann = identity("ann")
    await world.node.opened(ann, None)
    await world.node.closed(ann, "bye")
    await world.hint(await world.say("1"))
    assert world.sockets.seqs(ann) == []
    assert world.node.fanout.topics() == []
