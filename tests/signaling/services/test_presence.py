"""Typing and presence: told seldom, however often they are said."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection

from signaling import topics
from signaling.adapters.memory_presence import MemoryPresence
from signaling.adapters.sql import Database, SqlConversations, SqlUsers
from signaling.adapters.sql.privacies import SqlPrivacies
from signaling.errors import Refused
from signaling.moderation.privacy import PrivacyService
from signaling.protocol.presence import PresenceSet, PresenceWatch, TypingSet
from signaling.protocol.settings import AppSettings, PresenceDefaults
from signaling.services.presence import PresenceService
from signaling.services.typing import AGAIN_MS, EXPIRES_MS, TypingService
from signaling.tasks import Tasks
from tests.house import Ear, House
from tests.making import APP, identity

ANN = identity("ann")
T = TypeVar("T")


@pytest.fixture
async def tasks() -> AsyncIterator[Tasks]:
    made = Tasks()
    yield made
    await made.close()


async def pressed(put: Any, request: Any) -> tuple[str, int | None]:
    """Until it is refused: how."""
    try:
        for _ in range(20):
            await put(ANN, request)
    except Refused as refused:
        return refused.code, refused.retry_after_ms
    return "", None


class Deaf:
    """Nobody listens."""

    async def listen(self, connection: str, topics: Iterable[str]) -> None:
        """Nothing."""

    async def unlisten(self, connection: str, topics: Iterable[str]) -> None:
        """Nothing."""


async def test_typing_is_told_once_in_a_while_and_its_end_at_once(
    house: House, tasks: Tasks
) -> None:
    name = await house.group("ann", "bob")
    ear: Any = Ear()
    typing = TypingService(house.conversations, ear, lambda: house.now, tasks)
    for _ in range(5):
        await typing.put(ANN, TypingSet(conversation=name, on=True))
    assert [hint.data["on"] for _, hint in ear.heard] == [True]
    house.now += AGAIN_MS
    await typing.put(ANN, TypingSet(conversation=name, on=True))
    await typing.put(ANN, TypingSet(conversation=name, on=False))
    assert [hint.data["on"] for _, hint in ear.heard] == [True, True, False]
    assert all(hint.volatile and hint.exclude == ANN.connection for _, hint in ear.heard)


async def test_typing_ends_by_itself_and_with_the_connection(house: House, tasks: Tasks) -> None:
    name = await house.group("ann", "bob")
    ear: Any = Ear()
    typing = TypingService(house.conversations, ear, lambda: house.now, tasks)
    await typing.put(ANN, TypingSet(conversation=name, on=True))
    house.now += EXPIRES_MS
    await typing._sweep()
    await typing.put(ANN, TypingSet(conversation=name, on=True))
    await typing.closed(ANN, "gone")
    assert [hint.data["on"] for _, hint in ear.heard] == [True, False, True, False]


async def test_typing_is_for_members_and_rate_limited(house: House, tasks: Tasks) -> None:
    name = await house.group("ann", "bob")
    ear: Any = Ear()
    typing = TypingService(house.conversations, ear, lambda: house.now, tasks)
    with pytest.raises(Refused) as caught:
        await typing.put(identity("eve"), TypingSet(conversation=name, on=True))
    assert caught.value.code == "not_found"
    code, wait_ms = await pressed(typing.put, TypingSet(conversation=name, on=True))
    assert code == "rate_limited"
    assert wait_ms


async def test_presence_is_told_once_for_many_changes_and_rate_limited(
    house: House, tasks: Tasks
) -> None:
    ear: Any = Ear()
    told = asyncio.Event()
    presence = PresenceService(MemoryPresence(), ear, Deaf(), house.users, lambda: house.now, tasks)

    async def done(*_: Any) -> None:
        told.set()

    presence.on_change.append(done)
    await presence.opened(ANN)
    for status in ("away", "busy", "online", "away"):
        await presence.put(ANN, PresenceSet(status=status))  # type: ignore[arg-type]
    await told.wait()
    assert ear.events(topics.presence(APP, "ann")) == ["presence:changed"]
    assert ear.heard[0][1].data["status"] == "away"
    assert ear.heard[0][1].latest == "presence ann"  # who is slow needs the newest only
    code, _ = await pressed(presence.put, PresenceSet(status="busy"))
    assert code == "rate_limited"


class Slow(MemoryPresence):
    """Takes its time for who is put, when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()
        self.go_on.set()

    async def put(self, *entry: Any) -> bool:
        self.asked.set()
        await self.go_on.wait()
        return await super().put(*entry)


async def test_who_goes_while_everybody_is_said_again_is_gone(house: House, tasks: Tasks) -> None:
    manager: Any = Slow()
    ear: Any = Ear()
    presence = PresenceService(manager, ear, Deaf(), house.users, lambda: house.now, tasks)
    bob = identity("bob")
    for who in (ANN, bob):
        await presence.opened(who)
    manager.asked.clear()
    manager.go_on.clear()
    again = asyncio.create_task(presence._say_again())
    await manager.asked.wait()
    await presence.closed(bob, "gone")
    manager.go_on.set()
    await again
    assert await manager.live(APP, ["ann", "bob"]) == {"ann"}


class Counting:
    """A Database that counts how often it is read."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.reads = 0

    async def read(self, op: Callable[[Connection], T]) -> T:
        self.reads += 1
        return await self._database.read(op)

    async def write(self, op: Callable[[Connection], T]) -> T:
        return await self._database.write(op)


async def test_watching_many_takes_few_queries(house: House, tasks: Tasks) -> None:
    counting: Any = Counting(house.database)
    users, conversations = SqlUsers(counting), SqlConversations(counting)
    people = [f"user-{number}" for number in range(200)]
    await house.group("ann", *people[:2])
    await users.block(APP, people[0], "ann", "d", 9)

    async def shared(app: str) -> AppSettings:
        return AppSettings(presence=PresenceDefaults(status="shared"))

    ear: Any = Ear()
    presence = PresenceService(MemoryPresence(), ear, Deaf(), users, lambda: house.now, tasks)
    presence.privacy = PrivacyService(SqlPrivacies(counting), conversations, shared, ear)
    for name in people:
        await presence.opened(identity(name))
    counting.reads = 0
    found = (await presence.watch(ANN, PresenceWatch(users=people)))["users"]
    assert [one["user"] for one in found if one["status"] == "online"] == [people[1]]
    assert counting.reads <= 6
