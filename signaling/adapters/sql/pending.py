"""Events about to be appended: numbered in memory, then written with one statement a table.

Everything that appends goes through here, so a head and its events always move together.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace
from sqlalchemy import Connection, FromClause, func, insert, literal_column, select, update

from signaling.adapters.sql.many import INT, TEXT, Many, Statement, inserting
from signaling.adapters.sql.positions import take_positions
from signaling.adapters.sql.rows import json_text
from signaling.adapters.sql.sends import keep_sent
from signaling.adapters.sql.tables import (
    conversations,
    events,
    members,
    mentions,
)
from signaling.model import Conversation, Draft, Event

MESSAGE = "message:created"


class Head:
    """A conversation's counters while events are being added."""

    __slots__ = ("conversation", "messages", "position", "seq")

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self.seq = conversation.head
        self.messages = conversation.messages
        self.position = conversation.position

    def settle(self) -> tuple[str, int, int, int]:
        """They are what the conversation has now, and its row."""
        row = (self.conversation.id, self.seq, self.messages, self.position)
        _, head, messages, position = row
        self.conversation = replace(
            self.conversation, head=head, messages=messages, position=position
        )
        return row


class _Numbered(NamedTuple):
    draft: Draft
    head: Head
    seq: int
    nth: int


class Pending:
    """Collects drafts of one transaction; `flush` writes them and gives the events in order."""

    def __init__(self) -> None:
        self._numbered: list[_Numbered] = []

    def add(self, head: Head, draft: Draft) -> int:
        """Number a draft; the seq it will have."""
        head.seq += 1
        if draft.type == MESSAGE:
            head.messages += 1
        self._numbered.append(_Numbered(draft, head, head.seq, head.messages))
        return head.seq

    def flush(self, connection: Connection) -> list[Event]:
        """Write heads, events, client_ids, mentions and the senders' watermarks."""
        if not self._numbered:
            return []
        before = take_positions(connection, len(self._numbered))
        made = [_event(item, before + nth) for nth, item in enumerate(self._numbered, start=1)]
        pairs = list(zip(self._numbered, made, strict=True))
        for item, event in pairs:
            item.head.position = event.position
        _write(connection, pairs)
        sent = [_sent_row(*pair) for pair in pairs if pair[0].draft.client_id]
        keep_sent(connection, sent, before, made[-1].position)
        self._numbered = []
        return made


def _write(connection: Connection, pairs: Sequence[tuple[_Numbered, Event]]) -> None:
    heads = {id(item.head): item.head for item, _ in pairs}
    messages = [event for _, event in pairs if event.type == MESSAGE]
    tables = (
        (_HEADS, [head.settle() for head in heads.values()]),
        (_EVENTS, [_event_row(*pair) for pair in pairs]),
        (_MARKS, _mark_rows(messages)),
        (_MENTIONS, [row for event in messages for row in _mention_rows(event)]),
    )
    for many, rows in tables:
        if rows:
            many.give(connection, rows)


def _event(item: _Numbered, position: int) -> Event:
    draft = item.draft
    return Event(
        conversation=draft.conversation,
        seq=item.seq,
        id=draft.id,
        type=draft.type,
        sender=draft.sender,
        at=draft.at,
        data=draft.data,
        position=position,
    )


def _event_row(item: _Numbered, event: Event) -> tuple[Any, ...]:
    data, said = event.data, event.type == MESSAGE
    return (
        event.position,
        event.seq,
        event.at,
        item.nth,
        data.get("thread", 0) if said else 0,
        data.get("expires_at", 0) if said else 0,
        event.conversation,
        item.draft.app,
        event.id,
        event.type,
        event.sender,
        json_text(data),
    )


def _sent_row(item: _Numbered, event: Event) -> tuple[Any, ...]:
    draft = item.draft
    return (
        event.position,
        draft.app,
        draft.sender,
        draft.client_id,
        draft.fingerprint,
        draft.conversation,
        item.seq,
    )


def _mark_rows(messages: Sequence[Event]) -> list[tuple[Any, ...]]:
    """Where each sender's newest message is: one row a member, as UPDATE FROM needs it."""
    newest = {(event.conversation, event.sender): event for event in messages}
    return [(*pair, event.seq, event.at, event.position) for pair, event in newest.items()]


def _mention_rows(event: Event) -> list[tuple[Any, ...]]:
    named = event.data.get("mentions") or ()
    return [(event.conversation, user, event.seq) for user in dict.fromkeys(named)]


def _put_events(given: FromClause) -> Statement:
    """Without a thread or an end these are 0, which the driver takes sooner than None."""
    sparse = ("thread", "expires_at")
    values = [
        func.nullif(c, literal_column("0")).label(c.name) if c.name in sparse else c
        for c in given.c
    ]
    return insert(events).from_select(given.c.keys(), select(*values))


def _move_heads(heads: FromClause) -> Statement:
    return (
        update(conversations)
        .where(conversations.c.id == heads.c.id)
        .values(head=heads.c.head, messages=heads.c.messages, position=heads.c.position)
    )


def _move_marks(given: FromClause) -> Statement:
    marks = given.c
    return (
        update(members)
        .where(
            members.c.conversation == marks.conversation,
            members.c.user == marks.user,
            members.c.read < marks.seq,
        )
        .values(read=marks.seq, delivered=marks.seq, sent_at=marks.at, moved=marks.position)
    )


_HEADS = Many({"id": TEXT, "head": INT, "messages": INT, "position": INT}, _move_heads)
_EVENTS = Many(
    {
        **dict.fromkeys(("position", "seq", "at", "nth", "thread", "expires_at"), INT),
        **dict.fromkeys(("conversation", "app", "id", "type", "sender", "data"), TEXT),
    },
    _put_events,
)
_MARKS = Many(
    {"conversation": TEXT, "user": TEXT, "seq": INT, "at": INT, "position": INT}, _move_marks
)
_MENTIONS = Many({"conversation": TEXT, "user": TEXT, "seq": INT}, inserting(mentions))
