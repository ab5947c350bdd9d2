"""What a member has not seen: conversations that grew after a position, and their new events."""

from sqlalchemy import Connection, and_, or_, select

from signaling.adapters.sql.pending import last_position
from signaling.adapters.sql.rows import EVENT, event_of
from signaling.adapters.sql.standings import standings, standings_of
from signaling.adapters.sql.tables import conversations, events, members
from signaling.model import Event, Standing
from signaling.ports import Gap, Missed

CONVERSATIONS_IN_FULL = 10
"""How many times the limit of one conversation a whole answer may hold."""


def missed(
    connection: Connection, *, app: str, user: str, position: int, known: dict[str, int], limit: int
) -> Missed:
    """See ports.Log.since."""
    end = last_position(connection)
    if position > end:
        return Missed(gaps=[], position=end, known=False)
    here = members.c.left_at.is_(None)
    changed = or_(
        and_(here, conversations.c.position > position),
        and_(here, members.c.moved >= position),
        and_(here, conversations.c.id.in_(list(known))),
        # Seats of strangers who are banned were never joined: they learn nothing.
        and_(members.c.left_at.is_not(None), members.c.moved > position, members.c.joined_at > 0),
    )
    found = standings(connection, standings_of(app, user).where(changed))
    gaps: list[Gap] = []
    budget = limit * CONVERSATIONS_IN_FULL
    for standing in found:
        gaps.append(_gap(connection, standing, position, known, min(limit, budget)))
        budget -= len(gaps[-1].events)
    return Missed(gaps=gaps, position=end)


def _gap(
    connection: Connection, standing: Standing, position: int, known: dict[str, int], limit: int
) -> Gap:
    member = standing.member
    if member.left_at is not None:
        ended = _after(connection, member.conversation, member.left_seq - 1, 1)
        return Gap(standing=standing, events=ended)
    after = known.get(member.conversation)
    if after is None:
        after = _seq_at(connection, standing, position)
    found = _after(connection, member.conversation, max(after, member.from_seq - 1), limit + 1)
    return Gap(standing=standing, events=found[:limit], limited=len(found) > limit)


def _seq_at(connection: Connection, standing: Standing, position: int) -> int:
    """The newest seq up to `position`; walks the index back over what is new and no further."""
    if standing.conversation.position <= position:
        return standing.conversation.head
    query = (
        select(events.c.seq)
        .where(events.c.conversation == standing.conversation.id, events.c.position <= position)
        .order_by(events.c.seq.desc())
        .limit(1)
    )
    return connection.execute(query).scalar() or 0


def _after(connection: Connection, conversation: str, seq: int, limit: int) -> list[Event]:
    query = (
        select(*EVENT)
        .where(events.c.conversation == conversation, events.c.seq > seq)
        .order_by(events.c.seq)
        .limit(limit)
    )
    return [event_of(row) for row in connection.execute(query)]
