"""Who is seen writing: whoever may write, where few enough listen."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from signaling.errors import Refused
from signaling.ports import Hint
from signaling.protocol.presence import TypingSet
from signaling.services.typing import AGAIN_MS, EXPIRES_MS, MEMBERS_MAX, TypingService
from signaling.tasks import Tasks
from tests.house import Ear, House
from tests.making import identity


class Writing:
    """`type(user, conversation)` gives "" or the code of the refusal; `heard` what was told."""

    def __init__(self, house: House, tasks: Tasks) -> None:
        self.ear: Any = Ear()
        self.service = TypingService(house.conversations, self.ear, lambda: house.now, tasks)

    async def type(self, user: str, conversation: str) -> str:
        try:
            await self.service.put(identity(user), TypingSet(conversation=conversation, on=True))
        except Refused as refused:
            return refused.code
        return ""

    @property
    def heard(self) -> list[tuple[str, bool]]:
        return [(hint.data["user"], hint.data["on"]) for _, hint in self.ear.heard]


@pytest.fixture
async def writing(house: House) -> AsyncIterator[Writing]:
    tasks = Tasks()
    yield Writing(house, tasks)
    await tasks.close()


async def test_readers_of_a_channel_are_not_seen_writing(house: House, writing: Writing) -> None:
    name = await house.group("ann", "bob", type="channel")
    assert await writing.type("bob", name) == "forbidden"
    assert await writing.type("ann", name) == ""
    assert writing.heard == [("ann", True)]


async def test_nor_are_who_is_muted_and_who_is_muted_meanwhile(
    house: House, writing: Writing
) -> None:
    name = await house.group("ann", "bob")
    assert await writing.type("bob", name) == ""
    until = house.now + 60_000
    await house.ask("ann", "member:update", conversation=name, user="bob", muted_until=until)
    house.now += AGAIN_MS
    assert await writing.type("bob", name) == "forbidden"
    house.now += EXPIRES_MS
    await writing.service._sweep()
    assert writing.heard == [("bob", True), ("bob", False)]


async def test_a_block_hides_both_from_each_other(house: House, writing: Writing) -> None:
    name = await house.direct("ann", "bob")
    await house.ask("ann", "user:block", user="bob")
    assert await writing.type("bob", name) == "forbidden"
    assert await writing.type("ann", name) == "forbidden"
    await house.ask("ann", "user:unblock", user="bob")
    assert await writing.type("bob", name) == ""
    assert writing.heard == [("bob", True)]


class SlowEar(Ear):
    """The first end is told when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.ending, self.go_on = asyncio.Event(), asyncio.Event()

    async def publish(self, topic: str, hint: Hint) -> None:
        await super().publish(topic, hint)
        if not hint.data["on"] and not self.ending.is_set():
            self.ending.set()
            await self.go_on.wait()


async def test_who_begins_anew_while_others_are_ended_goes_on(
    house: House, writing: Writing
) -> None:
    name = await house.group("ann", "bob")
    ear: Any = SlowEar()
    writing.ear = writing.service._broker = ear
    for user in ("ann", "bob"):
        await writing.type(user, name)
    house.now += EXPIRES_MS
    sweeping = asyncio.create_task(writing.service._sweep())
    await ear.ending.wait()
    await writing.service.put(identity("bob"), TypingSet(conversation=name, on=False))
    assert await writing.type("bob", name) == ""
    ear.go_on.set()
    await sweeping
    assert [on for user, on in writing.heard if user == "bob"] == [True, False, True]


async def test_nothing_is_told_in_an_archived_conversation(house: House, writing: Writing) -> None:
    name = await house.group("ann", "bob")
    await house.ask("ann", "conversation:archive", conversation=name, scope="all")
    assert await writing.type("ann", name) == "forbidden"
    assert writing.heard == []


async def test_a_hall_hears_nobody_writing(house: House, writing: Writing) -> None:
    others = [f"u{number:03}" for number in range(MEMBERS_MAX)]
    name = await house.group("ann", *others)
    assert await writing.type("ann", name) == ""
    assert writing.heard == []
    await house.ask("u000", "conversation:leave", conversation=name)
    assert await writing.type("ann", name) == ""
    assert writing.heard == [("ann", True)]
