"""What members have not seen: conversations that grew after a position, and their new events."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, FromClause, and_, case, or_, select

from signaling.adapters.sql.many import INT, ONE, TEXT, ZERO, Each, Many, Statement
from signaling.adapters.sql.positions import last_position
from signaling.adapters.sql.rows import EVENT, event_of
from signaling.adapters.sql.standings import STANDING, joined, standing_of
from signaling.adapters.sql.tables import conversations, events, members
from signaling.model import Event, Standing
from signaling.ports import Gap, Missed

CONVERSATIONS_IN_FULL: Final = 10
"""How many times the limit of one conversation a whole answer may hold."""
EVENTS_AT_ONCE: Final = 3_000
"""Of several answers together; one alone may hold more."""


class Since(NamedTuple):
    """One call of `Log.since`."""

    app: str
    user: str
    position: int
    known: Mapping[str, int]
    limit: int


class _Span(NamedTuple):
    """Events of a conversation above `after`, up to `upto`: numbers have no gaps."""

    conversation: str
    after: int
    upto: int


class _Opening(NamedTuple):
    """A gap before its events are read."""

    standing: Standing
    span: _Span
    limited: bool = False


def missed_many(connection: Connection, items: Sequence[Since]) -> list[Missed]:
    """See ports.Log.since. What many have missed of one conversation is read once; the last items
    are left out when there is too much of it.
    """
    end = last_position(connection)
    found = _grown(connection, items, end)
    openings = [_openings(item, mine) for item, mine in zip(items, found, strict=True)]
    spans = _Spans()
    taken = 0
    for mine in openings:
        spans.add(opening.span for opening in mine)
        if taken and spans.events > EVENTS_AT_ONCE:
            break
        taken += 1
    read = spans.read(connection)
    return [
        Missed(gaps=[_gap(one, read) for one in mine], position=end, known=item.position <= end)
        for item, mine in zip(items[:taken], openings, strict=False)
    ]


def _openings(item: Since, found: Mapping[str, tuple[Standing, int]]) -> list[_Opening]:
    openings = []
    budget = item.limit * CONVERSATIONS_IN_FULL
    for standing, after in found.values():
        opening = _opening(standing, after, min(item.limit, budget))
        budget -= opening.span.upto - opening.span.after
        openings.append(opening)
    return openings


def _opening(standing: Standing, after: int, limit: int) -> _Opening:
    member, head = standing.member, standing.conversation.head
    if member.left_at is not None:
        ended = _Span(member.conversation, member.left_seq - 1, member.left_seq)
        return _Opening(standing, ended)
    after = min(max(after, member.from_seq - 1), head)
    span = _Span(member.conversation, after, min(after + limit, head))
    return _Opening(standing, span, limited=span.upto < head)


def _gap(opening: _Opening, read: Mapping[str, Mapping[int, Event]]) -> Gap:
    conversation, after, upto = opening.span
    here = read.get(conversation, {})
    found = [here[seq] for seq in range(after + 1, upto + 1) if seq in here]
    return Gap(standing=opening.standing, events=found, limited=opening.limited)


class _Spans:
    """Spans that overlap are one."""

    def __init__(self) -> None:
        self._spans: dict[str, list[_Span]] = {}
        self.events = 0

    def add(self, spans: Iterable[_Span]) -> None:
        for span in spans:
            if span.after < span.upto:
                self._merge(span)

    def _merge(self, span: _Span) -> None:
        apart = []
        for other in self._spans.get(span.conversation, ()):
            if other.upto < span.after or span.upto < other.after:
                apart.append(other)
                continue
            self.events -= other.upto - other.after
            after, upto = min(other.after, span.after), max(other.upto, span.upto)
            span = _Span(span.conversation, after, upto)
        self.events += span.upto - span.after
        self._spans[span.conversation] = [*apart, span]

    def read(self, connection: Connection) -> dict[str, dict[int, Event]]:
        """By conversation and seq."""
        rows = [span._asdict() for spans in self._spans.values() for span in spans]
        read: dict[str, dict[int, Event]] = {}
        for row in _EVENTS.execute(connection, rows) if rows else ():
            event = event_of(row)
            read.setdefault(event.conversation, {})[event.seq] = event
        return read


def _grown(
    connection: Connection, items: Sequence[Since], end: int
) -> list[dict[str, tuple[Standing, int]]]:
    """For each item, by conversation: the standing, and the newest seq that was seen."""
    asked = [(item.app, item.user, item.position) for item in items]
    found = [
        {row[1]: (standing_of(row[1:]), row[0] or 0) for row in rows}
        for rows in _GROWN.find(connection, asked)
    ]
    named = [
        (mine, item, name)
        for mine, item in zip(found, items, strict=True)
        for name in (item.known if item.position <= end else ())
    ]
    keys = [(item.app, item.user, name) for _, item, name in named]
    for (mine, item, name), rows in zip(named, _NAMED.find(connection, keys), strict=True):
        for row in rows:
            mine[name] = (standing_of(row), item.known[name])
    return found


def _grown_after(given: FromClause) -> Statement:
    here, position = members.c.left_at.is_(None), given.c.position
    grown = or_(
        and_(here, conversations.c.position > position),
        and_(here, members.c.moved >= position),
        # Seats of strangers who are banned were never joined: they learn nothing.
        and_(
            members.c.left_at.is_not(None), members.c.moved > position, members.c.joined_at > ZERO
        ),
    )
    return (
        select(given.c.n, _seq_at(position), *STANDING)
        .select_from(joined(given.join(members, _mine(given))))
        .where(grown)
    )


def _named(given: FromClause) -> Statement:
    here = _mine(given) & (members.c.conversation == given.c.conversation)
    mine = given.join(members, here & members.c.left_at.is_(None))
    return select(given.c.n, *STANDING).select_from(joined(mine))


def _mine(given: FromClause) -> ColumnElement[bool]:
    return (members.c.app == given.c.app) & (members.c.user == given.c.user)


def _seq_at(position: ColumnElement[Any]) -> ColumnElement[Any]:
    """The newest seq up to `position`; walks the index back over what is new and no further."""
    old = events.alias("old")
    walked = (
        select(old.c.seq)
        .where(old.c.conversation == conversations.c.id, old.c.position <= position)
        .order_by(old.c.seq.desc())
        .limit(ONE)
        .offset(ZERO)
        .scalar_subquery()
    )
    new = members.c.left_at.is_(None) & (conversations.c.position > position)
    return case((new, walked), else_=conversations.c.head)


def _events(given: FromClause) -> Statement:
    here = (events.c.conversation == given.c.conversation) & (events.c.seq > given.c.after)
    spans = given.join(events, here & (events.c.seq <= given.c.upto))
    return select(*EVENT).select_from(spans)


_GROWN = Each({"app": TEXT, "user": TEXT, "position": INT}, _grown_after)
_NAMED = Each({"app": TEXT, "user": TEXT, "conversation": TEXT}, _named)
_EVENTS = Many({"conversation": TEXT, "after": INT, "upto": INT}, _events)
