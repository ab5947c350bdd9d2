"""Where a user stands in conversations: membership, watermarks, and counts taken from the log."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from signaling.adapters.sql.rows import (
    CONVERSATION,
    EVENT,
    MEMBER,
    conversation_of,
    event_of,
    member_of,
)
from signaling.adapters.sql.tables import conversations, events, members, mentions
from signaling.model import Standing

EVERYONE = "*"

_mark = events.alias("mark")

# The newest event up to the watermark knows how many messages came before it.
_read_nth = (
    select(_mark.c.nth)
    .where(_mark.c.conversation == members.c.conversation, _mark.c.seq <= members.c.read)
    .order_by(_mark.c.seq.desc())
    .limit(1)
    .scalar_subquery()
)


def _mentions_of(user: str) -> ColumnElement[Any]:
    """Unread messages that name the user or everyone: one that does both counts once."""
    return (
        select(func.count(mentions.c.seq.distinct()))
        .where(
            mentions.c.conversation == members.c.conversation,
            mentions.c.user.in_((user, EVERYONE)),
            mentions.c.seq > members.c.read,
        )
        .scalar_subquery()
    )


_unread = conversations.c.messages - func.coalesce(_read_nth, 0)


def totals(connection: Connection, app: str, user: str) -> tuple[int, int]:
    """Unread messages and mentions of all conversations the user is in: what `standings` count."""
    query = (
        select(func.coalesce(func.sum(_unread), 0), func.coalesce(func.sum(_mentions_of(user)), 0))
        .select_from(members.join(conversations, conversations.c.id == members.c.conversation))
        .where(members.c.app == app, members.c.user == user, members.c.left_at.is_(None))
    )
    unread, mentioned = connection.execute(query).one()
    return int(unread), int(mentioned)


def standings_of(app: str, user: str) -> Select[Any]:
    """All of a user's memberships, ended ones too; give it a WHERE, run it with `standings`."""
    joined = members.join(conversations, conversations.c.id == members.c.conversation).outerjoin(
        events,
        (events.c.conversation == conversations.c.id) & (events.c.seq == conversations.c.head),
    )
    return (
        select(*CONVERSATION, *MEMBER, _unread, _mentions_of(user), *EVENT)
        .select_from(joined)
        .where(members.c.app == app, members.c.user == user)
    )


def standings(connection: Connection, query: Select[Any]) -> list[Standing]:
    """Run a query made from `standings_of`."""
    return [_standing(row) for row in connection.execute(query)]


def _standing(row: Sequence[Any]) -> Standing:
    first, second = len(CONVERSATION), len(CONVERSATION) + len(MEMBER)
    member = member_of(row[first:second])
    unread, mentioned = row[second : second + 2]
    last = row[second + 2 :]
    visible = last[0] is not None and last[1] >= member.from_seq and member.left_at is None
    return Standing(
        conversation=conversation_of(row[:first]),
        member=member,
        unread=unread,
        mentions=mentioned,
        last=event_of(last) if visible else None,
    )
