"""Events about to be appended: numbered in memory, then written with one statement a table.

Everything that appends goes through here, so a head and its events always move together.
"""

from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Connection,
    FromClause,
    bindparam,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects import sqlite

from signaling.adapters.sql.driver import run
from signaling.adapters.sql.many import INT, TEXT, Many, Statement, inserting
from signaling.adapters.sql.rows import json_text
from signaling.adapters.sql.sends import keep_sent
from signaling.adapters.sql.tables import (
    conversations,
    events,
    members,
    mentions,
    positions,
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
        position = take_positions(connection, len(self._numbered))
        made = [
            _event(item, position + index) for index, item in enumerate(self._numbered, start=1)
        ]
        for item, event in zip(self._numbered, made, strict=True):
            item.head.position = event.position
        self._execute(connection, made)
        sent = [_send_row(item) for item in self._numbered if item.draft.client_id]
        keep_sent(connection, sent, position, made[-1].position)
        self._numbered = []
        return made

    def _execute(self, connection: Connection, made: list[Event]) -> None:
        pairs = list(zip(self._numbered, made, strict=True))
        heads = {id(item.head): item.head for item in self._numbered}
        tables = (
            (_HEADS, [_head_row(head) for head in heads.values()]),
            (_EVENTS, [_event_row(item, event) for item, event in pairs]),
            (_MARKS, _mark_rows(made)),
            (_MENTIONS, [row for event in made for row in _mention_rows(event)]),
        )
        for many, values in tables:
            if values:
                many.execute(connection, values)


def take_positions(connection: Connection, count: int) -> int:
    """Take `count` positions; the last one before them. Others wait for the commit."""
    if connection.dialect.name == "sqlite":
        [[last]] = run(connection, _TAKE_SQLITE, (count,))
    else:
        last = connection.execute(_TAKE, {"count": count}).scalar_one()
    return int(last) - count


def last_position(connection: Connection) -> int:
    """The end of the log."""
    return int(connection.execute(select(positions.c.last)).scalar_one())


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


def _head_row(head: Head) -> dict[str, Any]:
    return {
        "id": head.conversation.id,
        "head": head.seq,
        "messages": head.messages,
        "position": head.position,
    }


def _event_row(item: _Numbered, event: Event) -> dict[str, Any]:
    return {
        "position": event.position,
        "conversation": event.conversation,
        "seq": event.seq,
        "app": item.draft.app,
        "id": event.id,
        "type": event.type,
        "sender": event.sender,
        "at": event.at,
        "nth": item.nth,
        "thread": event.data.get("thread", 0) if event.type == MESSAGE else 0,
        "expires_at": event.data.get("expires_at", 0) if event.type == MESSAGE else 0,
        "data": json_text(event.data),
    }


def _send_row(item: _Numbered) -> dict[str, Any]:
    draft = item.draft
    return {
        "app": draft.app,
        "sender": draft.sender,
        "client_id": draft.client_id,
        "fingerprint": draft.fingerprint,
        "conversation": draft.conversation,
        "seq": item.seq,
    }


def _mark_rows(made: list[Event]) -> list[dict[str, Any]]:
    """Where each sender's newest message is: one row a member, as UPDATE FROM needs it."""
    newest = {(e.conversation, e.sender): e for e in made if e.type == MESSAGE}
    return [
        {
            "conversation": event.conversation,
            "user": event.sender,
            "seq": event.seq,
            "at": event.at,
            "position": event.position,
        }
        for event in newest.values()
    ]


def _mention_rows(event: Event) -> list[dict[str, Any]]:
    if event.type != MESSAGE:
        return []
    named = event.data.get("mentions") or ()
    return [
        {"conversation": event.conversation, "user": user, "seq": event.seq}
        for user in dict.fromkeys(named)
    ]


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


_TAKE = (
    update(positions)
    .values(last=positions.c.last + bindparam("count", type_=BigInteger))
    .returning(positions.c.last)
)
_TAKE_SQLITE = str(_TAKE.compile(dialect=sqlite.dialect()))
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
