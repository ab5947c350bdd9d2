"""The event logs in SQL."""

from collections.abc import Coroutine, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, case, func, select

from signaling.adapters.sql.append import Append, append_many
from signaling.adapters.sql.database import Database
from signaling.adapters.sql.decide import find_conversation, find_member
from signaling.adapters.sql.gather import READ_LANES, Gather
from signaling.adapters.sql.missed import Since, missed_many
from signaling.adapters.sql.positions import last_position
from signaling.adapters.sql.rows import EVENT, event_of
from signaling.adapters.sql.sends import is_used
from signaling.adapters.sql.tables import events
from signaling.model import MEMBERSHIP, Appended, Draft, Event, History
from signaling.ports import Allow, End, Missed

PACE_S = 0.006
"""Of groups of appends: a fifth less work at 5 000 a second, and what else writes gets its turn."""
SINCE_AT_ONCE = 64
"""A storm of reconnects is answered bit by bit: the first are not kept waiting for the last."""


class SqlLog:
    """See ports.Log."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._appends: Gather[Append, Appended] = Gather(database.write, append_many, pace_s=PACE_S)
        self._since: Gather[Since, Missed] = Gather(
            database.read, missed_many, most=SINCE_AT_ONCE, lanes=READ_LANES
        )

    def append(self, draft: Draft, allow: Allow | None = None) -> Coroutine[Any, Any, Appended]:
        """Gathered with the appends of other callers into one commit."""
        return self._appends.submit(Append(draft, allow))

    async def used(self, app: str, sender: str, client_id: str) -> bool:
        """For ever, see `append`."""
        return await self._database.read(lambda c: is_used(c, app, sender, client_id))

    async def read(
        self,
        conversation: str,
        *,
        after: int = 0,
        before: int | None = None,
        limit: int,
        thread: int | None = None,
    ) -> list[Event]:
        """One page, in order."""
        return await self._database.read(
            lambda connection: read_page(connection, conversation, after, before, limit, thread)
        )

    async def get(self, conversation: str, seq: int) -> Event | None:
        """One event."""
        found = await self.read(conversation, after=seq - 1, limit=1)
        return found[0] if found and found[0].seq == seq else None

    async def history(
        self,
        app: str,
        conversation: str,
        user: str,
        *,
        after: int = 0,
        before: int | None = None,
        limit: int,
        thread: int | None = None,
    ) -> History | None:
        """Membership and page on one snapshot."""
        page = _Page(after, before, limit, thread)
        return await self._database.read(
            lambda connection: _history(connection, app, conversation, user, page)
        )

    async def since(
        self, app: str, user: str, position: int, known: Mapping[str, int], limit: int
    ) -> Missed:
        """All of it on one snapshot, gathered with what others have missed."""
        return await self._since.submit(Since(app, user, position, known, limit))

    async def tail(self, position: int, limit: int) -> tuple[list[tuple[str, Event]], int]:
        """The log in order of commit."""
        return await self._database.read(lambda connection: _tail(connection, position, limit))

    async def ends(self, position: int, upto: int) -> list[End]:
        """The database looks through it: a page of it need not be read."""
        return await self._database.read(lambda connection: _ends(connection, position, upto))


class _Page(NamedTuple):
    after: int
    before: int | None
    limit: int
    thread: int | None


def _history(
    connection: Connection, app: str, conversation: str, user: str, page: _Page
) -> History | None:
    found = find_conversation(connection, app, conversation)
    member = find_member(connection, found.id, user) if found else None
    if found is None or member is None:
        return None
    visible = page._replace(after=max(page.after, member.from_seq - 1))
    return History(
        conversation=found, member=member, events=read_page(connection, found.id, *visible)
    )


def read_page(
    connection: Connection,
    conversation: str,
    after: int,
    before: int | None,
    limit: int,
    thread: int | None = None,
) -> list[Event]:
    """Events between `after` and `before`: the newest of them if `before` is given, else the
    oldest.
    """
    query = select(*EVENT).where(events.c.conversation == conversation, events.c.seq > after)
    if thread is not None:
        query = query.where(events.c.thread == thread)
    if before is None:
        query = query.order_by(events.c.seq)
    else:
        query = query.where(events.c.seq < before).order_by(events.c.seq.desc())
    found = [event_of(row) for row in connection.execute(query.limit(limit))]
    return found if before is None else found[::-1]


def _tail(connection: Connection, position: int, limit: int) -> tuple[list[tuple[str, Event]], int]:
    if position < 0:
        return [], last_position(connection)
    query = (
        select(*EVENT, events.c.app)
        .where(events.c.position > position)
        .order_by(events.c.position)
        .limit(limit)
    )
    found = [(row[-1], event_of(row[:-1])) for row in connection.execute(query)]
    return found, found[-1][1].position if found else position


def _ends(connection: Connection, position: int, upto: int) -> list[End]:
    moved = func.max(case((events.c.type.in_(MEMBERSHIP), 1), else_=0))
    query = (
        select(events.c.app, events.c.conversation, func.max(events.c.seq), moved)
        .where(events.c.position > position, events.c.position <= upto)
        .group_by(events.c.app, events.c.conversation)
    )
    return [
        End(app=app, conversation=conversation, seq=seq, membership=bool(changed))
        for app, conversation, seq, changed in connection.execute(query)
    ]
