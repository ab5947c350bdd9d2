"""Who blocks whom, in SQL; the direct conversation of a pair always says the same."""

from collections.abc import Sequence

from msgspec.structs import replace
from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from signaling.adapters.sql.rows import json_dict, json_text
from signaling.adapters.sql.tables import blocks, conversations
from signaling.errors import Refused
from signaling.model import Conversation


def block(connection: Connection, app: str, user: str, other: str, direct: str, most: int) -> None:
    """See ports.Users.block."""
    known = select(blocks.c.other).where(_pair(app, user, other))
    if connection.execute(known).first() is None:
        mine = (blocks.c.app == app) & (blocks.c.user == user)
        count = select(func.count()).select_from(blocks).where(mine)
        if connection.execute(count).scalar_one() >= most:
            raise Refused("quota_exceeded", f"one user blocks at most {most} others")
        connection.execute(insert(blocks).values(app=app, user=user, other=other))
    _mark(connection, app, direct, user, on=True)


def unblock(connection: Connection, app: str, user: str, other: str, direct: str) -> None:
    """See ports.Users.unblock."""
    connection.execute(delete(blocks).where(_pair(app, user, other)))
    _mark(connection, app, direct, user, on=False)


def _pair(app: str, user: str, other: str) -> ColumnElement[bool]:
    return (blocks.c.app == app) & (blocks.c.user == user) & (blocks.c.other == other)


def _mark(connection: Connection, app: str, direct: str, user: str, *, on: bool) -> None:
    """The direct conversation knows it, so that sending needs no further look."""
    named = conversations.c
    here = (named.id == direct) & (named.app == app) & (named.type == "direct")
    text = connection.execute(select(named.settings).where(here)).scalar()
    if text is None:
        return
    settings = json_dict(text)
    by = set(settings.get("blocked_by", ()))
    marked = {**settings, "blocked_by": sorted(by | {user} if on else by - {user})}
    connection.execute(update(conversations).where(here).values(settings=json_text(marked)))


def blocking(connection: Connection, app: str, users: Sequence[str], other: str) -> list[str]:
    """Those of `users` who block `other`."""
    query = select(blocks.c.user).where(
        blocks.c.app == app, blocks.c.user.in_(users), blocks.c.other == other
    )
    return list(connection.execute(query).scalars())


def with_blocks(
    connection: Connection, conversation: Conversation, users: Sequence[str]
) -> Conversation:
    """A direct conversation knows who of the two blocks the other: sending looks no further."""
    query = select(blocks.c.user).where(
        blocks.c.app == conversation.app, blocks.c.user.in_(users), blocks.c.other.in_(users)
    )
    blocking = sorted(connection.execute(query).scalars())
    if not blocking:
        return conversation
    return replace(conversation, settings={**conversation.settings, "blocked_by": blocking})
