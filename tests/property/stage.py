"""Under the permission rules: a house with live sockets, its model, and what must hold."""

import asyncio
import tempfile
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis.stateful import RuleBasedStateMachine, invariant

from signaling.errors import Refused
from tests.house import House, opened
from tests.property.live import Leaky, Live
from tests.property.talks import Person, Talk

T = TypeVar("T")
USERS = ("ann", "bob", "cat", "eve")
PEOPLE: tuple[Person, ...] = (*(("acme", user) for user in USERS), ("zeta", "ann"), ("zeta", "bob"))


class Stage(RuleBasedStateMachine):
    """Asks, keeps what each socket was told, and compares it with the model after each step."""

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._directory = tempfile.TemporaryDirectory()
        self.broker = Leaky()
        self.house, self.live = self.run_(self._open())
        self.talks: list[Talk] = []
        self.cursors: dict[Person, str] = {}
        self.known: dict[Person, dict[str, int]] = {person: {} for person in PEOPLE}
        self.invites: list[tuple[Talk, str, str]] = []
        self.heard: dict[str, dict[str, list[int]]] = {}
        """By connection and talk; each list begins with the head when the socket opened."""
        self.expected: dict[str, dict[str, list[int]]] = {}
        self.checked: dict[str, int] = {}
        self.may_lose = False
        self.lossy = False
        """Whether a hint was lost since all were found."""
        self.count = 0
        self._turn = 0

    async def _open(self) -> tuple[House, Live]:
        patch = self._stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr("signaling.node.ROUND_S", 3600.0)  # what was lost is found by a rule alone
        path = Path(self._directory.name) / "log.db"
        house = await self._stack.enter_async_context(opened(path, broker=self.broker))
        live = Live(house, self.broker)
        await live.node.start()
        self._stack.push_async_callback(live.node.close)
        return house, live

    def run_(self, work: Coroutine[Any, Any, T]) -> T:
        """Run to the end."""
        return self._runner.run(work)

    def attempt(
        self, person: Person, event: str, /, *, lost: bool = False, **payload: Any
    ) -> dict[str, Any] | None:
        """None when refused, which must be for a reason a caller can be told. What it publishes
        may be lost.
        """
        self.broker.loses = lost and self.may_lose
        self.lossy = self.lossy or self.broker.loses
        try:
            return self.run_(self._ask(person, event, payload))
        except Refused as refused:
            if refused.code not in ("forbidden", "not_found", "conflict", "bad_request"):
                raise
            return None
        finally:
            self.broker.loses = False

    async def _ask(self, person: Person, event: str, payload: dict[str, Any]) -> dict[str, Any]:
        app, user = person
        try:
            return await self.house.ask(user, event, app=app, **payload)
        finally:
            await self.live.settled()

    def teardown(self) -> None:
        self.run_(self._stack.aclose())
        self._runner.close()
        self._directory.cleanup()

    def pick(self, n: int) -> Talk:
        """One of the conversations."""
        return self.talks[n % len(self.talks)]

    def hand(self, talk: Talk, k: int) -> Person:
        """Somebody who acts: more often one who may."""
        office = [person for person in talk.members if talk.office(person)]
        hands = [*office, *office, *talk.members, *PEOPLE]
        return hands[k % len(hands)]

    def place(self, talk: Talk, k: int) -> int:
        """The seq of one of the newest messages, or of what may be none."""
        messages = talk.messages[:-6:-1]
        return messages[k % len(messages)] if messages and k < 10 else k - 8

    def next_name(self) -> str:
        """One that was not used."""
        self.count += 1
        return f"p{self.count}"

    def read(self, person: Person, talk: Talk, events: list[dict[str, Any]]) -> None:
        """Each says what it may to a member."""
        for event in events:
            assert event["seq"] in talk.seen_by(person)
            assert event["type"] == talk.entries[event["seq"] - 1].type
            assert event.get("body") == talk.body(person, event["seq"])

    def missed(self, person: Person, answer: dict[str, Any], *, first: bool) -> None:
        entries = {entry["id"]: entry for entry in answer["conversations"]}
        for talk in self.talks:
            entry = entries.pop(talk.name, {})
            if person not in talk.members:
                assert entry.get("left") or not entry
                self.known[person].pop(talk.name, None)
                continue
            got = [event["seq"] for event in entry.get("events", [])]
            self.read(person, talk, entry.get("events", []))
            if entry.get("last_event"):
                self.read(person, talk, [entry["last_event"]])
            if not first and talk.name in self.known[person]:
                expected = range(self.known[person][talk.name] + 1, talk.head + 1)
                assert got == [seq for seq in expected if seq in talk.seen_by(person)]
            self.known[person][talk.name] = talk.head
        assert not entries

    @invariant()
    def nobody_is_told_what_they_may_not_know(self) -> None:
        told, self.live.told = self.live.told, []
        talks = {talk.name: talk for talk in self.talks}
        for connection, event, data in told:
            person, talk = self.live.connections[connection], talks[data["conversation"]]
            if event == "receipt:updated":
                assert self.lossy or person in talk.members
                continue
            self._told(connection, person, talk, data)
        for talk in self.talks:
            self._expect(talk)

    def _told(self, connection: str, person: Person, talk: Talk, data: Any) -> None:
        seq, heard = data["seq"], self.heard[connection].setdefault(talk.name, [0])
        entry = talk.entries[seq - 1]
        assert (data["type"], data["sender"]) == (entry.type, entry.sender)
        assert person in entry.audience
        assert seq > heard[-1]
        heard.append(seq)
        if entry.type == "message:edited" and data["body"] is not None:
            assert data["body"] == {"text": entry.text}
            assert person in talk.members
            assert entry.target >= talk.members[person]

    def _expect(self, talk: Talk) -> None:
        """While no hint was lost, everyone connected was told at once what they may know."""
        for seq in range(self.checked.get(talk.name, 0) + 1, talk.head + 1):
            for name, person in self.live.connections.items():
                if person in talk.entries[seq - 1].audience:
                    self.expected[name].setdefault(talk.name, []).append(seq)
        self.checked[talk.name] = talk.head
        for name in () if self.lossy else self.live.connections:
            heard = self.heard[name].get(talk.name, [0])[1:]
            assert heard == self.expected[name].get(talk.name, [])

    @invariant()
    def standings_tell_the_truth_of_the_log(self) -> None:
        """Of everybody, two at a time."""
        self._turn += 2
        for person in (PEOPLE * 2)[self._turn % len(PEOPLE) :][:2]:
            found = self.run_(self.house.conversations.standings(*person))
            mine = [talk for talk in self.talks if person in talk.members]
            assert {one.conversation.id for one in found} == {talk.name for talk in mine}
            talks = {talk.name: talk for talk in mine}
            for standing in found:
                self._stands(person, talks[standing.conversation.id], standing)
            totals = self.run_(self.house.conversations.totals(*person))
            assert totals == (sum(one.unread for one in found), sum(one.mentions for one in found))

    def _stands(self, person: Person, talk: Talk, standing: Any) -> None:
        member, conversation = standing.member, standing.conversation
        assert conversation.head == talk.head
        assert conversation.member_count == len(talk.members)
        assert member.role == talk.roles[person]
        assert member.read <= member.delivered <= conversation.head
        assert (member.delivered, member.read) == talk.marks[person]
        unread = [seq for seq in talk.messages if seq > member.read]
        assert standing.unread == len(unread)
        named = [seq for seq in unread if {person[1], "*"} & {*talk.mentions.get(seq, ())}]
        assert standing.mentions == len(named)
