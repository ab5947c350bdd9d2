"""A node over a SQLite file, whose sockets and readers only remember what they were told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from signaling import topics
from signaling.adapters.memory_broker import Bus, MemoryBroker
from signaling.adapters.memory_registry import MemoryRegistry
from signaling.adapters.sql import SqlConversations, SqlLog, SqlUsers
from signaling.auth.registry import now_ms
from signaling.auth.tokens import Claims
from signaling.model import Event, Grants, Identity
from signaling.node import Node
from signaling.ports import End, Hint
from tests.making import APP, joined, message

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
        latest: str | None = None,
    ) -> None:
        for connection in connections:
            self.told.setdefault(connection, []).append((event, data))
        self._news.set()

    def close(self, connection: str, reason: str) -> None:
        self.closed.append((connection, reason))

    def seqs(self, who: Identity) -> list[int]:
        return [data["seq"] for _, data in self.told.get(who.connection, []) if "seq" in data]

    async def until(self, who: Identity, seqs: list[int]) -> None:
        async with asyncio.timeout(60):
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


class Reader:
    """Reads the log; a page that has been read may be held up to let events happen meanwhile."""

    def __init__(self, log: SqlLog) -> None:
        self._log = log
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.pages = 0
        """Read of the log's tail."""

    async def read(self, conversation: str, *, after: int = 0, limit: int) -> list[Event]:
        page = await self._log.read(conversation, after=after, limit=limit)
        self.begun.set()
        await self.go_on.wait()
        return page

    async def tail(self, position: int, limit: int) -> tuple[list[tuple[str, Event]], int]:
        if limit:
            self.pages += 1
        return await self._log.tail(position, limit)

    async def ends(self, position: int, upto: int) -> list[End]:
        return await self._log.ends(position, upto)


class World:
    """One node over a real log, and a second broker on its bus that plays the other node."""

    def __init__(self, log: SqlLog, conversations: SqlConversations, users: SqlUsers) -> None:
        self.log = log
        self.reader = Reader(log)
        self.admin = False
        """Whether the next token checked gives the administration."""
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
            log=self.reader,
            members=conversations,
            users=users,
            sync=self.snapshot,
            verify=self._verify,
            clock=now_ms,
        )

    async def join(self, user: str) -> Event:
        """A new member; nothing is published."""
        appended = await self.log.append(joined(HALL, user))
        return appended.event

    async def say(self, text: str = "hello") -> Event:
        """Append; nothing is published."""
        return (await self.log.append(message(HALL, "ann", text, text=text))).event

    async def left(self, user: str) -> Event:
        """Somebody goes; nothing is published."""
        return (await self.log.append(replace(joined(HALL, user), type="member:left"))).event

    async def _verify(self, token: str) -> Claims:
        grants = Grants(admin=self.admin)
        return Claims(
            app=APP,
            user=token,
            name=token,
            device=None,
            jti=None,
            key="k",
            grants=grants,
            issued_at=None,
            expires_at=2**50,
        )

    async def settled(self) -> None:
        """What the node does about memberships and gaps has been done."""
        words = ("listen", "unlisten", "fill")
        while True:
            busy = [t for t in asyncio.all_tasks() if t.get_name().split()[0] in words]
            if not busy:
                return
            await asyncio.gather(*busy)

    async def hint(self, event: Event) -> None:
        hint = Hint(event=event.type, data=event.to_wire())
        await self.publish(topics.conversation(APP, HALL), hint)

    async def publish(self, topic: str, hint: Hint) -> None:
        """From the other node; heard by this one on the next turn of the loop."""
        await self.elsewhere.publish(topic, hint)
        await asyncio.sleep(0)
