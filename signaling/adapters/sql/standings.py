"""Where a user stands in conversations: membership, watermarks, and counts taken from the log."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Text,
    func,
    literal_column,
    select,
)

from signaling.adapters.sql.many import ONE, TEXT, ZERO, Each, Statement
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

EVERYONE: ColumnElement[str] = literal_column("'*'", Text)

_mark = events.alias("mark")

# The newest event up to the watermark knows how many messages came before it.
_read_nth = (
    select(_mark.c.nth)
    .where(_mark.c.conversation == members.c.conversation, _mark.c.seq <= members.c.read)
    .order_by(_mark.c.seq.desc())
    .limit(ONE)
    .offset(ZERO)
    .scalar_subquery()
)


# Unread messages that name the user or everyone: one that does both counts once.
_mentioned = (
    select(func.count(mentions.c.seq.distinct()))
    .where(
        mentions.c.conversation == members.c.conversation,
        mentions.c.user.in_((members.c.user, EVERYONE)),
        mentions.c.seq > members.c.read,
    )
    .scalar_subquery()
)

_unread = conversations.c.messages - func.coalesce(_read_nth, ZERO)

STANDING = (*CONVERSATION, *MEMBER, _unread, _mentioned, *EVENT)
"""What `standing_of` takes, of tables joined by `joined`."""


def joined(here: FromClause) -> FromClause:
    """`here` has members; beside them their conversations, each with its newest event."""
    newest = (events.c.conversation == conversations.c.id) & (events.c.seq == conversations.c.head)
    return here.join(conversations, conversations.c.id == members.c.conversation).outerjoin(
        events, newest
    )


def totals_many(connection: Connection, items: Sequence[tuple[str, str]]) -> list[tuple[int, int]]:
    """For each (app, user) unread messages and mentions of all conversations the user is in: what
    `standings` count.
    """
    found = _TOTALS.find(connection, items)
    return [(int(rows[0][0]), int(rows[0][1])) if rows else (0, 0) for rows in found]


def _totals(given: FromClause) -> Statement:
    here = (members.c.app == given.c.app) & (members.c.user == given.c.user)
    return (
        select(given.c.n, func.sum(_unread), func.sum(_mentioned))
        .select_from(
            given.join(members, here & members.c.left_at.is_(None)).join(
                conversations, conversations.c.id == members.c.conversation
            )
        )
        .group_by(given.c.n)
    )


_TOTALS = Each({"app": TEXT, "user": TEXT}, _totals)


def standings_of(app: str, user: str) -> Select[Any]:
    """All of a user's memberships, ended ones too; give it a WHERE, run it with `standings`."""
    mine = (members.c.app == app, members.c.user == user)
    return select(*STANDING).select_from(joined(members)).where(*mine)


def standings(connection: Connection, query: Select[Any]) -> list[Standing]:
    """Run a query made from `standings_of`."""
    return [standing_of(row) for row in connection.execute(query)]


def standing_of(row: Sequence[Any]) -> Standing:
    """From the columns STANDING."""
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
