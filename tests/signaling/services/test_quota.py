"""Plans upheld in memory: what changes with the month."""

from collections.abc import Callable, Collection
from datetime import UTC, datetime

import pytest

from signaling.errors import Refused
from signaling.model import Appended, Conversation, Event, Member
from signaling.outbox.metering import State
from signaling.outbox.usage import Plan, Totals
from signaling.services.quota import Quota
from tests.making import identity


class Nobody:
    """No user was active."""

    async def active(self, app: str, period: str, users: Collection[str]) -> set[str]:
        return set()


class Meanwhile(Nobody):
    """Answers as things were before something else happened."""

    happens: Callable[[], object] | None = None

    async def active(self, app: str, period: str, users: Collection[str]) -> set[str]:
        if self.happens is not None:
            self.happens()
        return set()


def at(month: int) -> int:
    return int(datetime(2026, month, 15, tzinfo=UTC).timestamp() * 1000)


def everybody(conversation: Conversation, member: Member | None) -> None:
    """May send."""


def landed(position: int) -> Appended:
    event = Event(
        id="e",
        conversation="c",
        seq=position,
        position=position,
        type="message:created",
        sender="ann",
        at=1,
        data={},
    )
    return Appended(event=event)


def test_counts_that_were_read_before_others_say_nothing_when_they_come_after() -> None:
    quota = Quota({"free": Plan(name="free", messages=2)}, "free", Nobody(), lambda: at(1))
    none = Conversation(id="c", app="a", type="group", created_at=1, created_by="ann")

    def send(position: int) -> None:
        with quota.sending("a") as sending:
            sending.after(everybody)(none, None)
            sending.landed(landed(position))

    quota.refresh(State(position=4, totals={}, plans={}, connections={}))
    send(5)
    counted = {"a": Totals(messages=1)}
    quota.refresh(State(position=5, totals=counted, plans={}, connections={}))
    quota.refresh(State(position=4, totals={}, plans={}, connections={}))
    send(6)
    with pytest.raises(Refused, match="allows 2 messages"):
        send(7)


def test_an_app_that_asks_by_rest_alone_begins_each_month_anew() -> None:
    """It has no plan of its own, no socket, and in a new month nothing that was counted."""
    now = at(1)
    quota = Quota({"free": Plan(name="free", messages=1)}, "free", Nobody(), lambda: now)
    full = {"a": Totals(messages=1)}
    none = Conversation(id="c", app="a", type="group", created_at=1, created_by="ann")
    quota.sending("a")
    quota.refresh(State(position=9, totals=full, plans={}, connections={}))
    with quota.sending("a") as sending, pytest.raises(Refused, match="allows 1 messages"):
        sending.after(everybody)(none, None)
    now = at(2)
    quota.refresh(State(position=9, totals={}, plans={}, connections={}))
    with quota.sending("a") as sending:
        sending.after(everybody)(none, None)


async def test_who_is_counted_while_another_is_asked_about_is_not_counted_twice() -> None:
    actives = Meanwhile()
    quota = Quota({"free": Plan(name="free", active_users=2)}, "free", actives, lambda: at(1))
    quota.refresh(State(position=4, totals={}, plans={"a": "free"}, connections={}))
    await quota.check(identity("ann", app="a"), "message:send")
    counted = State(
        position=5, totals={"a": Totals(active_users=1)}, plans={"a": "free"}, connections={}
    )
    actives.happens = lambda: quota.refresh(counted)
    await quota.check(identity("bob", app="a"), "message:send")
    with pytest.raises(Refused, match="allows 2 active users"):
        await quota.check(identity("cy", app="a"), "message:send")
