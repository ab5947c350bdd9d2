"""What waits for its time in SQL: messages to be sent, and messages to be forgotten."""

from sqlalchemy import Connection, delete, insert, select

from signaling.adapters.sql.blank import blank
from signaling.adapters.sql.database import Database
from signaling.adapters.sql.rows import EVENT, event_of
from signaling.adapters.sql.tables import events
from signaling.adapters.sql.tables_messaging import scheduled
from signaling.errors import Refused
from signaling.model import Scheduled


class SqlWaiting:
    """See ports.Waiting."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, message: Scheduled) -> Scheduled:
        """Keep one; the same client_id gives the one kept before."""
        return await self._database.write(lambda c: _put(c, message))

    async def due(self, now: int, limit: int) -> list[Scheduled]:
        """Those whose time has come."""
        query = select(scheduled).where(scheduled.c.due_at <= now)
        query = query.order_by(scheduled.c.due_at, scheduled.c.id).limit(limit)
        found = await self._database.read(lambda c: c.execute(query).all())
        return [Scheduled(**row._mapping) for row in found]

    async def of(self, app: str, sender: str) -> list[Scheduled]:
        """A user's own."""
        query = select(scheduled).where(scheduled.c.app == app, scheduled.c.sender == sender)
        query = query.order_by(scheduled.c.due_at, scheduled.c.id)
        found = await self._database.read(lambda c: c.execute(query).all())
        return [Scheduled(**row._mapping) for row in found]

    async def remove(self, message: str) -> bool:
        """Forget one; False when there is none."""
        statement = delete(scheduled).where(scheduled.c.id == message)
        return await self._database.write(lambda c: c.execute(statement).rowcount > 0)

    async def expire(self, now: int, limit: int) -> int:
        """Blank messages whose time is over, and what edits and the search index kept of them."""
        return await self._database.write(lambda c: _expire(c, now, limit))


def _put(connection: Connection, message: Scheduled) -> Scheduled:
    query = select(scheduled).where(
        scheduled.c.app == message.app,
        scheduled.c.sender == message.sender,
        scheduled.c.client_id == message.client_id,
    )
    row = connection.execute(query).first()
    if row is None:
        values = {name: getattr(message, name) for name in message.__struct_fields__}
        connection.execute(insert(scheduled).values(values))
        return message
    earlier = Scheduled(**row._mapping)
    if earlier.request != message.request:
        raise Refused("conflict", "this client_id was used for something else")
    return earlier


def _expire(connection: Connection, now: int, limit: int) -> int:
    query = select(*EVENT).where(events.c.expires_at <= now)
    query = query.order_by(events.c.expires_at).limit(limit)
    found = [event_of(row) for row in connection.execute(query)]
    for event in found:
        blank(connection, event, expired=True)
    return len(found)
