"""What waits for its time in SQL: messages to be sent, and messages to be forgotten."""

from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, select, update

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

    async def put(self, message: Scheduled, most: int) -> Scheduled:
        """Keep one; the same client_id gives the one kept before."""
        return await self._database.write(lambda c: _put(c, message, most))

    async def find(self, app: str, sender: str, client_id: str) -> Scheduled | None:
        """By client_id."""
        query = _by_client_id(app, sender, client_id)
        row = await self._database.read(lambda c: c.execute(query).first())
        return Scheduled(**row._mapping) if row else None

    async def due(self, now: int, limit: int) -> list[Scheduled]:
        """Those whose time has come; who was put off does not stand before others."""
        query = select(scheduled).where(scheduled.c.due_at <= now, scheduled.c.not_before <= now)
        order = (scheduled.c.not_before, scheduled.c.due_at, scheduled.c.id)
        query = query.order_by(*order).limit(limit)
        found = await self._database.read(lambda c: c.execute(query).all())
        return [Scheduled(**row._mapping) for row in found]

    async def put_off(self, message: str, until: int) -> None:
        """Both columns in one statement."""
        later = {"not_before": until, "attempts": scheduled.c.attempts + 1}
        statement = update(scheduled).where(scheduled.c.id == message).values(later)
        await self._database.write(lambda c: c.execute(statement).rowcount)

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


def _by_client_id(app: str, sender: str, client_id: str) -> Select[Any]:
    return select(scheduled).where(
        scheduled.c.app == app,
        scheduled.c.sender == sender,
        scheduled.c.client_id == client_id,
    )


def _put(connection: Connection, message: Scheduled, most: int) -> Scheduled:
    query = _by_client_id(message.app, message.sender, message.client_id)
    row = connection.execute(query).first()
    if row is None:
        _check_room(connection, message, most)
        values = {name: getattr(message, name) for name in message.__struct_fields__}
        connection.execute(insert(scheduled).values(values))
        return message
    earlier = Scheduled(**row._mapping)
    if earlier.request != message.request:
        raise Refused("conflict", "this client_id was used for something else")
    return earlier


def _check_room(connection: Connection, message: Scheduled, most: int) -> None:
    mine = (scheduled.c.app == message.app) & (scheduled.c.sender == message.sender)
    waiting = select(func.count()).select_from(scheduled).where(mine)
    if connection.execute(waiting).scalar_one() >= most:
        raise Refused("quota_exceeded", f"at most {most} messages of one user wait")


def _expire(connection: Connection, now: int, limit: int) -> int:
    query = select(*EVENT).where(events.c.expires_at <= now)
    query = query.order_by(events.c.expires_at).limit(limit)
    found = [event_of(row) for row in connection.execute(query)]
    for event in found:
        blank(connection, event, expired=True)
    return len(found)
