"""Rows of the tables as values of the model, and back. Columns keep the order given here."""

from collections.abc import Sequence
from typing import Any

import msgspec

from signaling.adapters.sql.tables import conversations, events, members
from signaling.model import Conversation, Event, Member

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_encoder = msgspec.json.Encoder()

_c, _m, _e = conversations.c, members.c, events.c

CONVERSATION = (
    _c.id, _c.app, _c.type, _c.title, _c.alias, _c.open, _c.created_at, _c.created_by, _c.head,
    _c.messages, _c.position, _c.member_count, _c.archived_at, _c.settings,
)  # fmt: skip
MEMBER = (
    _m.conversation, _m.user, _m.role, _m.joined_at, _m.from_seq, _m.left_at, _m.left_seq,
    _m.banned_until, _m.muted_until, _m.delivered, _m.read, _m.sent_at, _m.preferences,
)  # fmt: skip
EVENT = (_e.conversation, _e.seq, _e.id, _e.type, _e.sender, _e.at, _e.data, _e.position)

_CONVERSATION_FIELDS = tuple(column.name for column in CONVERSATION[:-1])
_MEMBER_FIELDS = tuple(column.name for column in MEMBER[:-1])


def json_text(value: dict[str, Any]) -> str:
    """How a dict is kept."""
    return _encoder.encode(value).decode()


def json_dict(text: str) -> dict[str, Any]:
    """A dict as it was kept."""
    return _decode(text)


def conversation_of(values: Sequence[Any]) -> Conversation:
    """From the columns CONVERSATION."""
    given = dict(zip(_CONVERSATION_FIELDS, values, strict=False))
    given["open"] = bool(given["open"])
    return Conversation(**given, settings=_decode(values[len(_CONVERSATION_FIELDS)]))


def member_of(values: Sequence[Any], name: str | None = None) -> Member:
    """From the columns MEMBER."""
    given = dict(zip(_MEMBER_FIELDS, values, strict=False))
    return Member(**given, preferences=_decode(values[len(_MEMBER_FIELDS)]), name=name)


def event_of(values: Sequence[Any]) -> Event:
    """From the columns EVENT."""
    conversation, seq, id_, type_, sender, at, data, position = values
    return Event(
        conversation=conversation,
        seq=seq,
        id=id_,
        type=type_,
        sender=sender,
        at=at,
        data=_decode(data),
        position=position,
    )


def conversation_values(conversation: Conversation) -> dict[str, Any]:
    """All columns of a conversation's row."""
    values = {name: getattr(conversation, name) for name in _CONVERSATION_FIELDS}
    return {**values, "settings": json_text(conversation.settings)}


def member_values(member: Member, app: str, moved: int) -> dict[str, Any]:
    """All columns of a member's row."""
    values = {name: getattr(member, name) for name in _MEMBER_FIELDS}
    preferences = json_text(member.preferences)
    return {**values, "preferences": preferences, "app": app, "moved": moved}
