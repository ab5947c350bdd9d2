"""What is too old, in SQL."""

from collections.abc import Mapping

from sqlalchemy import Connection, func, insert, select, update

from signaling.adapters.sql.blank import blank
from signaling.adapters.sql.database import Database
from signaling.adapters.sql.pending import MESSAGE
from signaling.adapters.sql.rows import EVENT, event_of, json_dict
from signaling.adapters.sql.tables import conversations, events
from signaling.adapters.sql.tables_privacy import retained
from signaling.model import Event
from signaling.privacy.retention import Kept


class SqlRetention:
    """See signaling.privacy.retention.Old."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, app: str, after: str, limit: int) -> list[Kept]:
        """Ordered by id."""
        named = conversations.c
        query = select(named.id, named.type, named.settings).where(named.app == app)
        query = query.where(named.id > after).order_by(named.id).limit(limit)
        rows = await self._database.read(lambda c: c.execute(query).all())
        return [Kept(id=row[0], type=row[1], settings=json_dict(row[2])) for row in rows]

    async def overdue(self, cutoffs: Mapping[str, int]) -> list[str]:
        """The oldest event of each that has not been looked at is the one behind its mark, as
        numbers have no gaps."""
        behind = func.coalesce(retained.c.seq, 0) + 1
        query = (
            select(events.c.conversation, events.c.at)
            .select_from(conversations)
            .outerjoin(retained, retained.c.conversation == conversations.c.id)
            .join(events, (events.c.conversation == conversations.c.id) & (events.c.seq == behind))
            .where(conversations.c.id.in_(list(cutoffs)))
            .order_by(conversations.c.id)
        )
        rows = await self._database.read(lambda c: c.execute(query).all())
        return [name for name, at in rows if at < cutoffs[name]]

    async def blank(self, conversation: str, before: int, limit: int) -> int:
        """The events and the mark in one transaction."""
        return await self._database.write(lambda c: _blank(c, conversation, before, limit))


def _mark(connection: Connection, conversation: str) -> int | None:
    query = select(retained.c.seq).where(retained.c.conversation == conversation)
    found: int | None = connection.execute(query).scalar()
    return found


def _page(connection: Connection, conversation: str, before: int, limit: int) -> list[Event]:
    """The next events in order, up to the first that is young enough."""
    mark = _mark(connection, conversation) or 0
    query = select(*EVENT).where(events.c.conversation == conversation, events.c.seq > mark)
    rows = connection.execute(query.order_by(events.c.seq).limit(limit))
    found: list[Event] = []
    for event in map(event_of, rows):
        if event.at >= before:
            break
        found.append(event)
    return found


def _blank(connection: Connection, conversation: str, before: int, limit: int) -> int:
    page = _page(connection, conversation, before, limit)
    for event in page:
        if event.type == MESSAGE and event.data.get("body") is not None:
            blank(connection, event, expired=True)
    if page:
        _advance(connection, conversation, page[-1].seq)
    return len(page)


def _advance(connection: Connection, conversation: str, seq: int) -> None:
    here = retained.c.conversation == conversation
    if not connection.execute(update(retained).where(here).values(seq=seq)).rowcount:
        connection.execute(insert(retained).values(conversation=conversation, seq=seq))
