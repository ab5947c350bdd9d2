"""Webhooks and their deliveries in SQL."""

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Exists,
    Row,
    Select,
    and_,
    delete,
    exists,
    insert,
    select,
    true,
    update,
)

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
        await self._database.write(lambda c: enqueue(c, reader, position, queued))

    async def due(self, now: int, limit: int, without: Collection[str] = ()) -> list[Delivery]:
        """The head of each line."""
        query = (
            select(deliveries)
            .where(deliveries.c.dead_at.is_(None), deliveries.c.next_at <= now, ~_behind())
            .order_by(deliveries.c.next_at, deliveries.c.position)
            .limit(limit)
        )
        if without:
            query = query.where(deliveries.c.webhook.not_in(list(without)))
        return await self._all(query)

    async def done(self, delivery: Delivery) -> Delivery | None:
        """Forget it."""
        return await self._database.write(lambda c: _done(c, delivery))

    async def put_off(self, delivery: Delivery, next_at: int, error: str) -> None:
        """Count the failure; the rest of the line is not looked at before it."""
        await self._database.write(lambda c: _put_off(c, delivery, next_at, error))

    async def bury(self, delivery: str, at: int, error: str) -> None:
        """Set it aside."""
        statement = update(deliveries).where(deliveries.c.id == delivery)
        values = {"attempts": deliveries.c.attempts + 1, "dead_at": at, "error": error[:500]}
        await self._database.write(lambda c: c.execute(statement.values(values)).rowcount)

    async def dead(
        self,
        app: str,
        limit: int,
        webhook: str | None = None,
        before: tuple[int, str] | None = None,
    ) -> list[Delivery]:
        """What was set aside."""
        query = (
            select(deliveries)
            .where(deliveries.c.app == app, deliveries.c.dead_at.is_not(None))
            .order_by(deliveries.c.dead_at.desc(), deliveries.c.id.desc())
            .limit(limit)
        )
        if webhook is not None:
            query = query.where(deliveries.c.webhook == webhook)
        if before is not None:
            at, last = before
            older = (deliveries.c.dead_at == at) & (deliveries.c.id < last)
            query = query.where((deliveries.c.dead_at < at) | older)
        return await self._all(query)

    async def replay(self, app: str, delivery: str, now: int) -> bool:
        """Back into its line."""
        one = deliveries.c.id == delivery
        return await self._database.write(lambda c: _revive(c, app, now, one)) > 0

    async def replay_all(self, app: str, webhook: str | None, now: int) -> int:
        """All back into their lines."""
        which = true() if webhook is None else deliveries.c.webhook == webhook
        return await self._database.write(lambda c: _revive(c, app, now, which))

    async def forget(self, dead_before: int) -> int:
        """Delete."""
        statement = delete(deliveries).where(deliveries.c.dead_at < dead_before)
        return await self._database.write(lambda c: c.execute(statement).rowcount)

    async def _all(self, query: Select[Any]) -> list[Delivery]:
        rows = await self._database.read(lambda c: c.execute(query).all())
        return [_delivery(row) for row in rows]


def _behind() -> Exists:
    """Whether an open delivery of the same line comes before this one."""
    earlier = deliveries.alias("earlier")
    return exists().where(
        earlier.c.webhook == deliveries.c.webhook,
        earlier.c.conversation == deliveries.c.conversation,
        earlier.c.dead_at.is_(None),
        earlier.c.position < deliveries.c.position,
    )


def _line(delivery: Delivery) -> ColumnElement[bool]:
    return and_(
        deliveries.c.webhook == delivery.webhook,
        deliveries.c.conversation == delivery.conversation,
        deliveries.c.dead_at.is_(None),
    )


def _done(connection: Connection, delivery: Delivery) -> Delivery | None:
    connection.execute(delete(deliveries).where(deliveries.c.id == delivery.id))
    query = select(deliveries).where(_line(delivery)).order_by(deliveries.c.position).limit(1)
    row = connection.execute(query).first()
    return None if row is None else _delivery(row)


def _put_off(connection: Connection, delivery: Delivery, next_at: int, error: str) -> None:
    line = update(deliveries).where(_line(delivery), deliveries.c.next_at < next_at)
    connection.execute(line.values(next_at=next_at))
    one = update(deliveries).where(deliveries.c.id == delivery.id)
    attempts = deliveries.c.attempts + 1
    connection.execute(one.values(attempts=attempts, next_at=next_at, error=error[:500]))


def _revive(connection: Connection, app: str, now: int, which: ColumnElement[bool]) -> int:
    dead = and_(deliveries.c.app == app, deliveries.c.dead_at.is_not(None), which)
    statement = update(deliveries).where(dead)
    return connection.execute(
        statement.values(dead_at=None, attempts=0, next_at=now, error=None)
    ).rowcount


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


def enqueue(connection: Connection, reader: str, position: int, queued: list[Delivery]) -> bool:
    """Insert, and move the reader; False when another node was faster with this page."""
    at = connection.scalar(select(readers.c.position).where(readers.c.name == reader))
    if at is None:
        connection.execute(insert(readers).values(name=reader, position=position))
    elif position > at:
        mine = update(readers).where(readers.c.name == reader)
        connection.execute(mine.values(position=position))
    else:
        return False
    if queued:
        connection.execute(insert(deliveries), [msgspec.structs.asdict(one) for one in queued])
    return True


def hooks_of(connection: Connection, apps_: Collection[str]) -> list[Webhook]:
    """The webhooks of some apps."""
    query = select(webhooks).where(webhooks.c.app.in_(list(apps_))).order_by(webhooks.c.id)
    return [_webhook(row) for row in connection.execute(query)]


def _webhook(row: Row[Any]) -> Webhook:
    values = dict(row._mapping)
    events, sealed = tuple(values["events"].split()), bytes(values["sealed"])
    return Webhook(**{**values, "events": events, "sealed": sealed})


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(**row._mapping)
