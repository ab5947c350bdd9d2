"""The log and its readers against a model that fits in the head."""

import asyncio
import tempfile
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from signaling.errors import Refused
from tests.house import House, opened

T = TypeVar("T")
USERS = ("ann", "bob", "cat", "eve")
users = st.sampled_from(USERS)


@dataclass
class Talk:
    """What the model knows of a conversation: an entry per event, and who sees from where."""

    name: str
    from_joining: bool
    senders: list[str] = field(default_factory=list)
    texts: dict[int, str] = field(default_factory=dict)
    messages: list[int] = field(default_factory=list)
    """Seqs of all messages, recalled ones too: their places are seen, and counted."""
    mentions: dict[int, list[str]] = field(default_factory=dict)
    members: dict[str, int] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    marks: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def head(self) -> int:
        return len(self.senders)

    def log(self, sender: str) -> int:
        self.senders.append(sender)
        return self.head

    def seen_by(self, user: str) -> list[int]:
        if user not in self.members:
            return []
        return list(range(max(1, self.members[user]), self.head + 1))


class Permissions(RuleBasedStateMachine):
    """No user ever reads an event they may not, whoever comes, goes, writes and takes back."""

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._directory = tempfile.TemporaryDirectory()
        self.house: House = self.run_(
            self._stack.enter_async_context(opened(Path(self._directory.name) / "log.db"))
        )
        self.talks: list[Talk] = []
        self.cursors: dict[str, str] = {}
        self.known: dict[str, dict[str, int]] = {user: {} for user in USERS}
        self._sent = 0

    def run_(self, work: Coroutine[Any, Any, T]) -> T:
        """Run to the end."""
        return self._runner.run(work)

    def attempt(self, user: str, event: str, /, **payload: Any) -> dict[str, Any] | None:
        """None when refused, which must be for a reason a caller can be told."""
        try:
            return self.run_(self.house.ask(user, event, **payload))
        except Refused as refused:
            if refused.code not in ("forbidden", "not_found", "conflict"):
                raise
            return None

    def teardown(self) -> None:
        self.run_(self._stack.aclose())
        self._runner.close()
        self._directory.cleanup()

    @initialize(joining=st.booleans())
    def begin(self, joining: bool) -> None:
        self.create("ann", joining)

    @precondition(lambda self: len(self.talks) < 3)
    @rule(user=users, joining=st.booleans())
    def create(self, user: str, joining: bool) -> None:
        history = "joining" if joining else "start"
        name = self.run_(self.house.group(user, open=True, history=history))
        talk = Talk(name, joining)
        talk.log(user)
        talk.members[user], talk.roles[user], talk.marks[user] = 0, "owner", (1, 1)
        self.talks.append(talk)

    def pick(self, n: int) -> Talk:
        """One of the conversations."""
        return self.talks[n % len(self.talks)]

    def _came(self, talk: Talk, user: str, by: str) -> None:
        seq = talk.log(by)
        talk.members[user] = seq if talk.from_joining else 0
        talk.roles[user], talk.marks[user] = "member", (seq, seq)

    @rule(user=users, n=st.integers(0, 2))
    def join(self, user: str, n: int) -> None:
        talk = self.pick(n)
        new = user not in talk.members
        assert self.attempt(user, "conversation:join", conversation=talk.name) is not None
        if new:
            self._came(talk, user, user)

    @rule(by=users, user=users, n=st.integers(0, 2))
    def add(self, by: str, user: str, n: int) -> None:
        talk = self.pick(n)
        may = talk.roles.get(by) in ("owner", "admin") and by in talk.members
        done = self.attempt(by, "member:add", conversation=talk.name, user=user)
        assert (done is not None) == may
        if may and user not in talk.members:
            self._came(talk, user, by)

    @rule(by=users, user=users, n=st.integers(0, 2))
    def remove(self, by: str, user: str, n: int) -> None:
        talk = self.pick(n)
        if by == user:
            return
        here = user in talk.members and by in talk.members
        done = self.attempt(by, "member:remove", conversation=talk.name, user=user)
        assert (done is not None) == (here and talk.roles[by] == "owner")
        if done is not None:
            talk.log(by)
            del talk.members[user]

    @rule(user=users, n=st.integers(0, 2))
    def leave(self, user: str, n: int) -> None:
        talk = self.pick(n)
        alone = len(talk.members) == 1
        may = user in talk.members and (talk.roles[user] != "owner" or alone)
        assert (self.attempt(user, "conversation:leave", conversation=talk.name) is not None) == may
        if may:
            talk.log(user)
            del talk.members[user]

    @rule(
        user=users, n=st.integers(0, 2), named=st.lists(st.sampled_from((*USERS, "*")), max_size=2)
    )
    def send(self, user: str, n: int, named: list[str]) -> None:
        talk = self.pick(n)
        self._sent += 1
        text = f"needle {self._sent}"
        request = {"conversation": talk.name, "client_id": f"p{self._sent}", "type": "text"}
        body = {"text": text}
        done = self.attempt(user, "message:send", **request, body=body, mentions=named)
        assert (done is not None) == (user in talk.members)
        if done is not None:
            seq = talk.log(user)
            assert (done["seq"], done["duplicate"]) == (seq, False)
            talk.texts[seq], talk.marks[user] = text, (seq, seq)
            talk.messages.append(seq)
            talk.mentions[seq] = named

    @rule(user=users, n=st.integers(0, 2), seq=st.integers(1, 12))
    def recall(self, user: str, n: int, seq: int) -> None:
        talk = self.pick(n)
        seen = seq in talk.seen_by(user) and seq in talk.texts
        own = seen and talk.senders[seq - 1] == user
        may = own or (seen and talk.roles[user] == "owner")
        done = self.attempt(user, "message:recall", conversation=talk.name, seq=seq)
        if not may:
            assert done is None or not done["changed"]
            return
        assert done is not None
        talk.log(user)
        del talk.texts[seq], talk.mentions[seq]

    @rule(user=users, n=st.integers(0, 2), seq=st.integers(1, 20), read=st.booleans())
    def receipt(self, user: str, n: int, seq: int, read: bool) -> None:
        talk = self.pick(n)
        event = "receipt:read" if read else "receipt:delivered"
        done = self.attempt(user, event, conversation=talk.name, seq=seq)
        assert (done is not None) == (user in talk.members)
        if done is None:
            return
        old_delivered, old_read = talk.marks[user]
        after_read = max(old_read, min(seq, talk.head)) if read else old_read
        delivered = max(old_delivered, min(seq, talk.head), after_read)
        talk.marks[user] = (delivered, after_read)
        assert done == {"delivered": delivered, "read": after_read}

    @rule(user=users, n=st.integers(0, 2), after=st.integers(0, 9))
    def history(self, user: str, n: int, after: int) -> None:
        talk = self.pick(n)
        page = self.attempt(user, "history:get", conversation=talk.name, after=after, limit=200)
        assert (page is not None) == (user in talk.members)
        if page is not None:
            found = {event["seq"]: event for event in page["events"]}
            assert list(found) == [seq for seq in talk.seen_by(user) if seq > after]
            for seq, event in found.items():
                if event["type"] == "message:created":
                    text = talk.texts.get(seq)
                    assert event["body"] == (None if text is None else {"text": text})

    @rule(user=users)
    def search(self, user: str) -> None:
        answer = self.attempt(user, "message:search", query="needle", limit=200)
        assert answer is not None
        found = {(event["conversation"], event["seq"]) for event in answer["events"]}
        assert found == {
            (talk.name, seq)
            for talk in self.talks
            for seq in talk.seen_by(user)
            if seq in talk.texts
        }

    @rule(user=users)
    def sync(self, user: str) -> None:
        """From cursor to cursor a device of the user gets every event it may see."""
        answer = self.attempt(user, "sync", cursor=self.cursors.get(user))
        assert answer is not None
        first = user not in self.cursors
        self.cursors[user] = answer["cursor"]
        entries = {entry["id"]: entry for entry in answer["conversations"]}
        for talk in self.talks:
            entry = entries.get(talk.name, {})
            if user not in talk.members:
                assert entry.get("left") or not entry
                self.known[user].pop(talk.name, None)
                continue
            got = [event["seq"] for event in entry.get("events", [])]
            assert set(got) <= set(talk.seen_by(user))
            if not first and talk.name in self.known[user]:
                expected = range(self.known[user][talk.name] + 1, talk.head + 1)
                assert got == [seq for seq in expected if seq in talk.seen_by(user)]
            self.known[user][talk.name] = talk.head

    @invariant()
    def standings_tell_the_truth_of_the_log(self) -> None:
        for talk in self.talks:
            for user in talk.members:
                standing = self.run_(self.house.conversations.standing("acme", talk.name, user))
                assert standing is not None
                member, conversation = standing.member, standing.conversation
                assert conversation.head == talk.head
                assert conversation.member_count == len(talk.members)
                assert member.read <= member.delivered <= conversation.head
                assert (member.delivered, member.read) == talk.marks[user]
                unread = [seq for seq in talk.messages if seq > member.read]
                assert standing.unread == len(unread)
                named = [seq for seq in unread if {user, "*"} & {*talk.mentions.get(seq, ())}]
                assert standing.mentions == len(named)


TestPermissions = pytest.mark.timeout(300)(Permissions.TestCase)
TestPermissions.settings = settings(
    max_examples=20,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
