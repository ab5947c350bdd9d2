"""Receipts: move many members' watermarks in one transaction."""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec.structs import replace
from sqlalchemy import Connection, FromClause, select, update

from signaling.adapters.sql.many import INT, TEXT, Many, Statement
from signaling.adapters.sql.positions import last_position
from signaling.adapters.sql.receipt_news import Step, tell_receipts
from signaling.adapters.sql.rows import MEMBER, member_of
from signaling.adapters.sql.scenes import take_scenes
from signaling.adapters.sql.tables import conversations, members
from signaling.errors import Refused
from signaling.model import Member, Moved


class Advance(NamedTuple):
    """One call of `Conversations.advance`."""

    app: str
    conversation: str
    user: str
    delivered: int
    read: int


class _Key(NamedTuple):
    app: str
    conversation: str
    user: str


class _Here(NamedTuple):
    member: Member
    head: int
    member_count: int


def advance_many(connection: Connection, items: Sequence[Advance]) -> list[Moved | Refused | None]:
    """The member after each item, or None where nothing moved."""
    scenes = take_scenes(connection)
    found = _load(connection, items)
    before = {key: here.member for key, here in found.items()}
    outcomes: list[Moved | Refused | None] = []
    moved: dict[_Key, Member] = {}
    for item in items:
        key = _Key(item.app, item.conversation, item.user)
        here = found.get(key)
        member = _advanced(here, item) if here else None
        if here is None or member is None:
            outcomes.append(None)
            continue
        found[key] = here._replace(member=member)
        moved[key] = member
        outcomes.append(Moved(member=member, member_count=here.member_count))
    _store(connection, moved)
    steps = [Step(key.app, before[key], member) for key, member in moved.items()]
    tell_receipts(connection, steps)
    for member in moved.values():
        scenes.moved(member)
    scenes.keep(connection)
    return outcomes


def _advanced(here: _Here, item: Advance) -> Member | None:
    member = here.member
    read = max(member.read, min(item.read, here.head))
    delivered = max(member.delivered, min(item.delivered, here.head), read)
    if (read, delivered) == (member.read, member.delivered):
        return None
    return replace(member, read=read, delivered=delivered)


def _load(connection: Connection, items: Sequence[Advance]) -> dict[_Key, _Here]:
    """A member of another app's conversation is nobody here, whatever id was guessed."""
    named = dict.fromkeys(_Key(item.app, item.conversation, item.user) for item in items)
    keys = [key._asdict() for key in named]
    return {
        _Key(row[-1], row[0], row[1]): _Here(member_of(row[:-3]), *row[-3:-1])
        for row in _LOAD.execute(connection, keys)
    }


def _store(connection: Connection, moved: dict[_Key, Member]) -> None:
    if not moved:
        return
    position = last_position(connection)
    values = [
        {
            "conversation": member.conversation,
            "user": member.user,
            "delivered": member.delivered,
            "read": member.read,
            "moved": position,
        }
        for member in moved.values()
    ]
    _STORE.execute(connection, values)


def _load_members(key: FromClause) -> Statement:
    here = (
        (members.c.conversation == key.c.conversation)
        & (members.c.user == key.c.user)
        & (members.c.app == key.c.app)
        & members.c.left_at.is_(None)
    )
    joined = key.join(members, here).join(
        conversations, conversations.c.id == members.c.conversation
    )
    beside = (conversations.c.head, conversations.c.member_count, members.c.app)
    return select(*MEMBER, *beside).select_from(joined)


def _store_marks(given: FromClause) -> Statement:
    marks = given.c
    return (
        update(members)
        .where(members.c.conversation == marks.conversation, members.c.user == marks.user)
        .values(delivered=marks.delivered, read=marks.read, moved=marks.moved)
    )


_LOAD = Many({"app": TEXT, "conversation": TEXT, "user": TEXT}, _load_members)
_STORE = Many(
    {
        **dict.fromkeys(("conversation", "user"), TEXT),
        **dict.fromkeys(("delivered", "read", "moved"), INT),
    },
    _store_marks,
)
