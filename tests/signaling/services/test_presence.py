"""Typing and presence: told seldom, however often they are said."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest

from signaling import topics
from signaling.adapters.memory_presence import MemoryPresence
from signaling.errors import Refused
from signaling.protocol.presence import PresenceSet, TypingSet
from signaling.services.presence import PresenceService
from signaling.services.typing import AGAIN_MS, EXPIRES_MS, TypingService
from signaling.tasks import Tasks
from tests.house import Ear, House
from tests.making import APP, identity

ANN = identity("ann")


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
    code, _ = await pressed(presence.put, PresenceSet(status="busy"))
    assert code == "rate_limited"
