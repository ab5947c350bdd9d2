"""The log, its readers and live sockets against a model that fits in the head."""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from tests.property.stage import PEOPLE, USERS, Stage
from tests.property.talks import OFFICE, Person, Talk

TALKS_MAX = 3
CONNECTIONS_MAX = 8
people = st.sampled_from(PEOPLE)
users = st.sampled_from(USERS)
which = st.integers(0, TALKS_MAX - 1)
hands = st.integers(0, 15)
"""See `Stage.hand`."""
places = st.integers(0, 12)
"""See `Stage.place`."""
lost = st.sampled_from((False, False, True))


class Permissions(Stage):
    """No user ever reads or is told an event they may not, whoever comes, goes, writes, changes and
    takes back, in whatever role, banned, invited, blocked or of another app; and nobody is told an
    event twice, out of order, or, while no hint is lost, too few.
    """

    @initialize(joining=st.sampled_from((True, True, False)), may_lose=st.booleans())
    def begin(self, joining: bool, may_lose: bool) -> None:
        self.may_lose = may_lose
        self.create(("acme", "ann"), "group", ["bob"], joining, lost=False)
        for user in USERS:
            self.connect(("acme", user))

    # coming and going

    @precondition(lambda self: len(self.talks) < TALKS_MAX)
    @rule(
        by=people,
        kind=st.sampled_from(("group", "channel")),
        others=st.lists(users, max_size=2),
        joining=st.booleans(),
        lost=lost,
    )
    def create(
        self, by: Person, kind: str, others: list[str], joining: bool, *, lost: bool
    ) -> None:
        history = "joining" if joining else "start"
        self._make(by, kind, others, lost, open=True, history=history)

    @precondition(lambda self: len(self.talks) < TALKS_MAX)
    @rule(by=people, other=users, lost=lost)
    def direct(self, by: Person, other: str, lost: bool) -> None:
        if by[1] != other:
            self._make(by, "direct", [other], lost)

    def _make(self, by: Person, kind: str, others: list[str], lost: bool, **fields: Any) -> None:
        request = {"type": kind, "members": others, "client_id": self.next_name()}
        made = self.attempt(by, "conversation:create", lost=lost, **request, **fields)
        if made is None or made["duplicate"]:
            return
        name = made["conversation"]["id"]
        talk = Talk(by[0], name, kind, from_joining=fields.get("history") == "joining")
        first = "member" if kind == "direct" else "owner"
        for user in dict.fromkeys((by[1], *others)):
            role = first if user == by[1] else "member"
            talk.enter((by[0], user), by, role, founding=True)
        self.talks.append(talk)

    @rule(person=people, n=which, lost=lost)
    def join(self, person: Person, n: int, lost: bool) -> None:
        talk = self.pick(n)
        new = person not in talk.members
        may = person[0] == talk.app and person not in talk.banned and talk.kind != "direct"
        done = self.attempt(person, "conversation:join", lost=lost, conversation=talk.name)
        assert (done is not None) == (may or not new)
        if new and may:
            talk.enter(person, person, "member")

    @rule(k=hands, user=users, n=which, role=st.sampled_from(("member", "guest", "admin")))
    def add(self, k: int, user: str, n: int, role: str) -> None:
        talk = self.pick(n)
        by = self.hand(talk, k)
        person = (by[0], user)
        done = self.attempt(by, "member:add", conversation=talk.name, user=user, role=role)
        if done is None:
            return
        assert talk.office(by)
        assert role != "admin" or talk.roles[by] == "owner"
        if person not in talk.members:
            assert person not in talk.banned
            talk.enter(person, by, role)

    @rule(k=hands, n=which, role=st.sampled_from(("guest", "member")))
    def invite(self, k: int, n: int, role: str) -> None:
        talk = self.pick(n)
        by = self.hand(talk, k)
        made = self.attempt(by, "invite:create", conversation=talk.name, role=role)
        assert made is None or talk.office(by)
        if made is not None:
            self.invites.append((talk, made["invite"]["id"], role))

    @precondition(lambda self: self.invites)
    @rule(person=people, n=st.integers(0, 9), lost=lost)
    def use_invite(self, person: Person, n: int, lost: bool) -> None:
        talk, secret, role = self.invites[n % len(self.invites)]
        done = self.attempt(person, "conversation:join", lost=lost, invite=secret)
        if done is not None and person not in talk.members:
            assert person[0] == talk.app
            assert person not in talk.banned
            talk.enter(person, person, role)

    @rule(k=hands, user=users, n=which, lost=lost)
    def remove(self, k: int, user: str, n: int, lost: bool) -> None:
        talk = self.pick(n)
        by = self.hand(talk, k)
        person, request = (by[0], user), {"conversation": talk.name, "user": user}
        if self.attempt(by, "member:remove", lost=lost, **request) is None:
            return
        assert talk.office(by)
        assert talk.roles[by] == "owner" or talk.roles[person] not in OFFICE
        talk.go(person, by)

    @precondition(lambda self: self.may_lose)
    @rule(user=users, n=which)
    def remove_unheard(self, user: str, n: int) -> None:
        """No node was told of the removal when it is told what came after it."""
        self.remove(0, user, n, lost=True)
        self.send(0, n, [], lost=False)

    @rule(k=hands, n=which, lost=lost)
    def leave(self, k: int, n: int, lost: bool) -> None:
        talk = self.pick(n)
        person = self.hand(talk, k)
        last = person in talk.members and talk.roles[person] == "owner" and talk.owners == 1
        may = person in talk.members and talk.kind != "direct"
        may = may and (not last or len(talk.members) == 1)
        done = self.attempt(person, "conversation:leave", lost=lost, conversation=talk.name)
        assert (done is not None) == may
        if may:
            talk.go(person, person)

    @rule(k=hands, user=users, n=which, role=st.sampled_from(("admin", "member", "guest", "owner")))
    def set_role(self, k: int, user: str, n: int, role: str) -> None:
        talk = self.pick(n)
        by = self.hand(talk, k)
        person = (by[0], user)
        done = self.attempt(by, "member:update", conversation=talk.name, user=user, role=role)
        if done is None or person not in talk.members or talk.roles[person] == role:
            return
        assert talk.office(by)
        touched = {role, talk.roles[person]} & {*OFFICE}
        assert by == person or not touched or talk.roles[by] == "owner"
        talk.roles[person] = role
        talk.log("member:updated", by)

    @rule(k=hands, user=users, n=which, lost=lost)
    def ban(self, k: int, user: str, n: int, lost: bool) -> None:
        talk = self.pick(n)
        by = self.hand(talk, k)
        person, request = (by[0], user), {"conversation": talk.name, "user": user}
        if self.attempt(by, "member:ban", lost=lost, **request) is None:
            return
        assert talk.office(by)
        talk.banned.add(person)
        talk.log("member:banned", by)
        if person in talk.members:
            assert talk.roles[by] == "owner" or talk.roles[person] not in OFFICE
            talk.go(person, by)

    @rule(k=hands, user=users, n=which)
    def unban(self, k: int, user: str, n: int) -> None:
        talk = self.pick(n)
        by = self.hand(talk, k)
        person = (by[0], user)
        done = self.attempt(by, "member:unban", conversation=talk.name, user=user)
        assert done is None or talk.office(by)
        if done is not None and person in talk.banned:
            talk.banned.discard(person)
            talk.log("member:unbanned", by)

    # writing

    @rule(k=hands, n=which, named=st.lists(st.sampled_from((*USERS, "*")), max_size=2), lost=lost)
    def send(self, k: int, n: int, named: list[str], lost: bool) -> None:
        talk = self.pick(n)
        person, client_id = self.hand(talk, k), self.next_name()
        text = f"needle {client_id}"
        request = {"conversation": talk.name, "client_id": client_id, "type": "text"}
        done = self.attempt(
            person, "message:send", lost=lost, **request, body={"text": text}, mentions=named
        )
        if done is None:
            everyone = "*" in named and talk.roles.get(person) == "guest"
            assert person not in talk.members or talk.kind != "group" or everyone
            return
        assert talk.office(person) or (person in talk.members and talk.kind != "channel")
        seq = talk.log("message:created", person, text=text)
        assert (done["seq"], done["duplicate"]) == (seq, False)
        talk.texts[seq], talk.mentions[seq] = text, named
        talk.marks[person] = (seq, seq)

    @rule(k=hands, own=st.sampled_from((True, True, False)), n=which, at=places, lost=lost)
    def edit(self, k: int, own: bool, n: int, at: int, lost: bool) -> None:
        talk = self.pick(n)
        seq, person, text = self.place(talk, at), self.hand(talk, k), f"needle {self.next_name()}"
        if own and 0 < seq <= talk.head:
            person = (talk.app, talk.entries[seq - 1].sender)
        request = {"conversation": talk.name, "seq": seq, "body": {"text": text}}
        if self.attempt(person, "message:edit", lost=lost, **request) is None:
            return
        message = talk.message(person, seq)
        assert message is not None
        assert message.sender == person[1]
        talk.log("message:edited", person, target=seq, text=text)
        talk.texts[seq] = text
        for reader in list(talk.members):
            request = {"conversation": talk.name, "after": talk.head - 1, "limit": 9}
            page = self.attempt(reader, "history:get", **request)
            assert page is not None
            self.read(reader, talk, page["events"])

    @rule(user=users, n=which, lost=lost)
    def join_and_edit(self, user: str, n: int, lost: bool) -> None:
        """What is changed was written before somebody came."""
        talk = self.pick(n)
        if talk.messages:
            self.join((talk.app, user), n, lost=lost)
            self.edit(0, True, n, 0, lost=False)

    @rule(k=hands, n=which, at=places)
    def recall(self, k: int, n: int, at: int) -> None:
        talk = self.pick(n)
        person, seq = self.hand(talk, k), self.place(talk, at)
        message = talk.message(person, seq)
        there = message is not None and seq in talk.texts
        own = message is not None and message.sender == person[1]
        may = there and (own or (talk.office(person) and talk.kind != "direct"))
        done = self.attempt(person, "message:recall", conversation=talk.name, seq=seq)
        if not may:
            assert done is None or not done["changed"]
            return
        assert done is not None
        talk.log("message:recalled", person, target=seq)
        del talk.texts[seq], talk.mentions[seq]

    @rule(k=hands, n=which, at=places, on=st.booleans())
    def react(self, k: int, n: int, at: int, on: bool) -> None:
        talk = self.pick(n)
        person, seq = self.hand(talk, k), self.place(talk, at)
        there = talk.message(person, seq) is not None and seq in talk.texts
        request = {"conversation": talk.name, "seq": seq, "emoji": "👍", "on": on}
        done = self.attempt(person, "reaction:set", **request)
        assert done is None or there
        if done is not None and ((seq, person) in talk.reactions) != on:
            (talk.reactions.add if on else talk.reactions.discard)((seq, person))
            talk.log("reaction:changed", person, target=seq)

    @rule(k=hands, n=which, seq=st.integers(1, 20), read=st.booleans())
    def receipt(self, k: int, n: int, seq: int, read: bool) -> None:
        talk = self.pick(n)
        person = self.hand(talk, k)
        event = "receipt:read" if read else "receipt:delivered"
        done = self.attempt(person, event, conversation=talk.name, seq=seq)
        assert (done is not None) == (person in talk.members)
        if done is None:
            return
        old_delivered, old_read = talk.marks[person]
        after_read = max(old_read, min(seq, talk.head)) if read else old_read
        delivered = max(old_delivered, min(seq, talk.head), after_read)
        talk.marks[person] = (delivered, after_read)
        assert done == {"delivered": delivered, "read": after_read}

    @rule(person=people, other=users, on=st.booleans())
    def block(self, person: Person, other: str, on: bool) -> None:
        self.attempt(person, "user:block" if on else "user:unblock", user=other)

    # reading

    @rule(k=hands, n=which, after=st.integers(0, 9))
    def history(self, k: int, n: int, after: int) -> None:
        talk = self.pick(n)
        person = self.hand(talk, k)
        page = self.attempt(person, "history:get", conversation=talk.name, after=after, limit=200)
        assert (page is not None) == (person in talk.members)
        if page is not None:
            found = [event["seq"] for event in page["events"]]
            assert found == [seq for seq in talk.seen_by(person) if seq > after]
            self.read(person, talk, page["events"])

    @rule(person=people)
    def search(self, person: Person) -> None:
        answer = self.attempt(person, "message:search", query="needle", limit=200)
        assert answer is not None
        found = {(event["conversation"], event["seq"]) for event in answer["events"]}
        assert found == {
            (talk.name, seq)
            for talk in self.talks
            for seq in talk.seen_by(person)
            if seq in talk.texts
        }

    @rule(person=people)
    def sync(self, person: Person) -> None:
        """From cursor to cursor a device of the user gets every event it may see."""
        answer = self.attempt(person, "sync", cursor=self.cursors.get(person))
        assert answer is not None
        self.missed(person, answer, first=person not in self.cursors)
        self.cursors[person] = answer["cursor"]

    # live

    @precondition(lambda self: len(self.live.connections) < CONNECTIONS_MAX)
    @rule(person=people, resumes=st.booleans())
    def connect(self, person: Person, resumes: bool = False) -> None:
        self.nobody_is_told_what_they_may_not_know()
        cursor = self.cursors.get(person) if resumes else None
        name, ready = self.run_(self.live.connect(person, cursor))
        self.missed(person, ready["missed"], first=cursor is None)
        self.cursors[person] = ready["cursor"]
        self.heard[name] = {talk.name: [talk.head] for talk in self.talks}
        self.expected[name] = {}

    @precondition(lambda self: self.live.connections)
    @rule(n=st.integers(0, 9))
    def disconnect(self, n: int) -> None:
        names = list(self.live.connections)
        self.run_(self.live.disconnect(names[n % len(names)]))

    @precondition(lambda self: self.lossy)
    @rule()
    def find(self) -> None:
        """After a sweep everyone has what they are to have."""
        self.run_(self.live.swept())
        self.nobody_is_told_what_they_may_not_know()
        for name, person in self.live.connections.items():
            for talk in self.talks:
                if person in talk.members:
                    heard = self.heard[name].get(talk.name, [0])
                    first = max(heard[0] + 1, talk.came[person])
                    assert set(range(first, talk.head + 1)) <= set(heard)


TestPermissions = pytest.mark.timeout(900)(Permissions.TestCase)
TestPermissions.settings = settings(
    max_examples=20,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
