"""Webhooks and their deliveries in SQL."""

from typing import Any

import msgspec
from sqlalchemy import Connection, Row, delete, exists, insert, select, update

from signaling.adapters.sql.database import Database
from signaling.adapters.sql.tables import apps
from signaling.adapters.sql.tables_outbox import deliveries, readers, webhooks
from signaling.errors import Refused
from signaling.outbox.webhook import Delivery, Webhook


class SqlWebhooks:
    """See signaling.outbox.webhook.Webhooks."""

    def __init__(self, database: Database) -> None:
        # passed in
        self._database = database

    async def put(self, webhook: Webhook) -> None:
        """Insert one."""
        await self._database.write(lambda connection: _put(connection, webhook))

    async def remove(self, app: str, webhook: str) -> bool:
        """Delete one, and what it was owed."""
        return await self._database.write(lambda connection: _remove(connection, app, webhook))

    async def of_app(self, app: str) -> list[Webhook]:
        """An app's."""
        query = select(webhooks).where(webhooks.c.app == app).order_by(webhooks.c.id)
        return [
            _webhook(row) for row in await self._database.read(lambda c: c.execute(query).all())
        ]

    async def all(self) -> list[Webhook]:
        """Everybody's."""
        query = select(webhooks).order_by(webhooks.c.id)
        return [
            _webhook(row) for row in await self._database.read(lambda c: c.execute(query).all())
        ]


class SqlOutbox:
    """See signaling.outbox.webhook.Outbox."""

    def __init__(self, database: Database) -> None:
        # passed in
        self._database = database

    async def position(self, reader: str) -> int | None:
        """A reader's cursor."""
        query = select(readers.c.position).where(readers.c.name == reader)
        return await self._database.read(lambda c: c.scalar(query))

    async def enqueue(self, reader: str, position: int, queued: list[Delivery]) -> None:
        """Both or neither."""
        await self._database.write(lambda c: _enqueue(c, reader, position, queued))

    async def due(self, now: int, limit: int) -> list[Delivery]:
        """The head of each line."""
        earlier = deliveries.alias("earlier")
        blocked = exists().where(
            earlier.c.webhook == deliveries.c.webhook,
            earlier.c.conversation == deliveries.c.conversation,
            earlier.c.dead_at.is_(None),
            earlier.c.position < deliveries.c.position,
        )
        query = (
            select(deliveries)
            .where(deliveries.c.dead_at.is_(None), deliveries.c.next_at <= now, ~blocked)
            .order_by(deliveries.c.next_at, deliveries.c.position)
            .limit(limit)
        )
        return [
            _delivery(row) for row in await self._database.read(lambda c: c.execute(query).all())
        ]

    async def done(self, delivery: str) -> None:
        """Forget it."""
        statement = delete(deliveries).where(deliveries.c.id == delivery)
        await self._database.write(lambda c: c.execute(statement).rowcount)

    async def put_off(self, delivery: str, next_at: int, error: str) -> None:
        """Count the failure."""
        await self._set(
            delivery, attempts=deliveries.c.attempts + 1, next_at=next_at, error=error[:500]
        )

    async def bury(self, delivery: str, at: int, error: str) -> None:
        """Set it aside."""
        await self._set(delivery, attempts=deliveries.c.attempts + 1, dead_at=at, error=error[:500])

    async def dead(self, app: str, limit: int) -> list[Delivery]:
        """What was set aside."""
        query = (
            select(deliveries)
            .where(deliveries.c.app == app, deliveries.c.dead_at.is_not(None))
            .order_by(deliveries.c.dead_at.desc(), deliveries.c.position.desc())
            .limit(limit)
        )
        return [
            _delivery(row) for row in await self._database.read(lambda c: c.execute(query).all())
        ]

    async def replay(self, app: str, delivery: str, now: int) -> bool:
        """Back into its line."""
        statement = (
            update(deliveries)
            .where(
                deliveries.c.id == delivery,
                deliveries.c.app == app,
                deliveries.c.dead_at.is_not(None),
            )
            .values(dead_at=None, attempts=0, next_at=now, error=None)
        )
        return await self._database.write(lambda c: c.execute(statement).rowcount > 0)

    async def _set(self, delivery: str, **values: Any) -> None:
        statement = update(deliveries).where(deliveries.c.id == delivery).values(**values)
        await self._database.write(lambda c: c.execute(statement).rowcount)


def _put(connection: Connection, webhook: Webhook) -> None:
    if not connection.execute(select(apps.c.id).where(apps.c.id == webhook.app)).first():
        raise Refused("not_found", "no such app")
    values = msgspec.structs.asdict(webhook)
    connection.execute(insert(webhooks).values({**values, "events": " ".join(webhook.events)}))


def _remove(connection: Connection, app: str, webhook: str) -> bool:
    mine = delete(webhooks).where(webhooks.c.app == app, webhooks.c.id == webhook)
    if connection.execute(mine).rowcount == 0:
        return False
    connection.execute(delete(deliveries).where(deliveries.c.webhook == webhook))
    return True


def _enqueue(connection: Connection, reader: str, position: int, queued: list[Delivery]) -> None:
    at = connection.scalar(select(readers.c.position).where(readers.c.name == reader))
    if at is None:
        connection.execute(insert(readers).values(name=reader, position=position))
    elif position > at:
        mine = update(readers).where(readers.c.name == reader)
        connection.execute(mine.values(position=position))
    else:
        return  # another node was faster with this page
    if queued:
        connection.execute(insert(deliveries), [msgspec.structs.asdict(one) for one in queued])


def _webhook(row: Row[Any]) -> Webhook:
    values = dict(row._mapping)
    events, sealed = tuple(values["events"].split()), bytes(values["sealed"])
    return Webhook(**{**values, "events": events, "sealed": sealed})


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(**row._mapping)
