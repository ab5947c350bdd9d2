"""Append a group of drafts in one transaction: look up, decide, number, write."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec.structs import replace
from sqlalchemy import Connection, FromClause, select, update

from signaling.adapters.sql.many import INT, TEXT, Many, Statement
from signaling.adapters.sql.pending import MESSAGE, Head, Pending
from signaling.adapters.sql.rows import EVENT, event_of, json_text
from signaling.adapters.sql.scenes import scenes_of
from signaling.adapters.sql.sends import Sent, find_sent, same_send
from signaling.adapters.sql.tables import events
from signaling.adapters.sql.waits import still_waiting, wait_no_more
from signaling.errors import Refused
from signaling.model import Appended, Draft, Event
from signaling.ports import Allow


class Append(NamedTuple):
    """One call of `Log.append`."""

    draft: Draft
    allow: Allow | None


def append_many(connection: Connection, items: Sequence[Append]) -> list[Appended | Refused]:
    """The outcome of each item, in order; a refusal of one does not touch the others."""
    batch = _Batch(connection, [item.draft for item in items])
    outcomes: list[int | Sent | Refused] = [batch.take(item) for item in items]
    return batch.finish(outcomes)


class _Batch:
    """One group of appends."""

    def __init__(self, connection: Connection, drafts: Sequence[Draft]) -> None:
        self._connection = connection
        self._sent = find_sent(connection, drafts)
        self._scenes = scenes_of(connection, drafts)
        self._referred = _referred(connection, drafts)
        self._roots: dict[tuple[str, int], Event] = {}
        self._pending = Pending()
        self._waiting = still_waiting(connection, drafts)
        self._sent_now: list[str] = []
        self._added = 0

    def take(self, item: Append) -> int | Sent | Refused:
        """Index among the new events, or what the client_id was used for, or why not."""
        try:
            return self._take(item)
        except Refused as refused:
            return refused

    def _take(self, item: Append) -> int | Sent:
        draft = item.draft
        sent = same_send(self._sent, draft)
        if sent is not None:
            return sent
        if draft.scheduled is not None and draft.scheduled not in self._waiting:
            raise Refused("not_found", "this message was called off")
        head = self._scenes.heads.get(draft.conversation)
        if head is None or head.conversation.app != draft.app:
            raise Refused("not_found", "no such conversation")
        member = self._scenes.members.get((draft.conversation, draft.sender))
        if item.allow is not None:
            item.allow(head.conversation, member)
        self._check_references(draft, member.from_seq if member else 0)
        return self._add(head, draft)

    def _add(self, head: Head, draft: Draft) -> int:
        seq = self._pending.add(head, draft)
        self._scenes.wrote(draft, seq)
        if draft.client_id:
            sent = Sent(draft.fingerprint, draft.conversation, seq)
            self._sent[(draft.app, draft.sender, draft.client_id)] = sent
        if draft.scheduled is not None:
            self._sent_now.append(draft.scheduled)
        root = (draft.conversation, draft.data.get("thread", 0))
        if root in self._referred:
            self._reply(root, draft, seq)
        self._added += 1
        return self._added - 1

    def _check_references(self, draft: Draft, from_seq: int) -> None:
        for seq in draft.refers:
            event = self._referred.get((draft.conversation, seq))
            if event is None or event.type != MESSAGE or seq < from_seq:
                raise Refused("not_found", f"no message {seq} here")
        root = self._referred.get((draft.conversation, draft.data.get("thread", 0)))
        if root is not None and "thread" in root.data:
            raise Refused("bad_request", "a thread starts at a message that is in no thread")

    def _reply(self, root: tuple[str, int], draft: Draft, seq: int) -> None:
        event = self._roots.get(root) or self._referred[root]
        count = event.data.get("replies", {}).get("count", 0) + 1
        replies = {"count": count, "seq": seq, "at": draft.at}
        self._roots[root] = replace(event, data={**event.data, "replies": replies})

    def finish(self, outcomes: list[int | Sent | Refused]) -> list[Appended | Refused]:
        """Write, then turn the outcomes into answers."""
        made = self._pending.flush(self._connection)
        wait_no_more(self._connection, self._sent_now)
        for event in self._roots.values():
            replace_data(self._connection, event)
        seqs = {(o.conversation, o.seq) for o in outcomes if isinstance(o, Sent)}
        old = find_events(self._connection, seqs)
        self._scenes.keep(self._connection)
        return [_answer(outcome, made, old) for outcome in outcomes]


def _answer(
    outcome: int | Sent | Refused, made: list[Event], old: dict[tuple[str, int], Event]
) -> Appended | Refused:
    if isinstance(outcome, int):
        return Appended(event=made[outcome])
    if isinstance(outcome, Sent):
        event = old.get((outcome.conversation, outcome.seq))
        if event is None:
            return Refused("not_found", "that message has been erased")
        return Appended(event=event, duplicate=True)
    return outcome


def find_events(
    connection: Connection, keys: Iterable[tuple[str, int]]
) -> dict[tuple[str, int], Event]:
    """Events by (conversation, seq)."""
    wanted = list(keys)
    if not wanted:
        return {}
    found = map(event_of, _PLACES.give(connection, wanted))
    return {(event.conversation, event.seq): event for event in found}


def replace_data(connection: Connection, event: Event) -> None:
    """Write an event's changed data; its place in the log stays."""
    statement = update(events).where(events.c.position == event.position)
    connection.execute(statement.values(data=json_text(event.data)))


def _referred(connection: Connection, drafts: Sequence[Draft]) -> dict[tuple[str, int], Event]:
    keys = {(draft.conversation, seq) for draft in drafts for seq in draft.refers}
    return find_events(connection, keys)


def _find_places(place: FromClause) -> Statement:
    here = (events.c.conversation == place.c.conversation) & (events.c.seq == place.c.seq)
    return select(*EVENT).select_from(place.join(events, here))


_PLACES = Many({"conversation": TEXT, "seq": INT}, _find_places)
