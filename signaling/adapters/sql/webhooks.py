"""Webhooks in SQL."""

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, delete, insert, select, update

from signaling.adapters.sql.database import Database
from signaling.adapters.sql.tables import apps
from signaling.adapters.sql.tables_outbox import deliveries, lines, webhooks
from signaling.errors import Refused
from signaling.outbox.webhook import Webhook


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
        rows = await self._database.read(lambda c: c.execute(query).all())
        return [_webhook(row) for row in rows]

    async def all(self) -> list[Webhook]:
        """Everybody's."""
        query = select(webhooks).order_by(webhooks.c.id)
        rows = await self._database.read(lambda c: c.execute(query).all())
        return [_webhook(row) for row in rows]

    async def failing(self, webhook: str, since: int) -> None:
        """The first failure counts."""
        first = (webhooks.c.id == webhook) & webhooks.c.failing_since.is_(None)
        await self._set(first, failing_since=since)

    async def well(self, webhook: str) -> None:
        """It takes deliveries again."""
        await self._set(webhooks.c.id == webhook, failing_since=None)

    async def disable(self, webhook: str, at: int, error: str, failing_by: int) -> bool:
        """It, and everything it is owed, in one transaction."""
        return await self._database.write(lambda c: _disable(c, webhook, at, error, failing_by))

    async def enable(self, app: str, webhook: str) -> bool:
        """As if it had never failed."""
        mine = (webhooks.c.app == app) & (webhooks.c.id == webhook)
        return await self._set(mine, failing_since=None, disabled_at=None) > 0

    async def _set(self, which: ColumnElement[bool], **values: int | None) -> int:
        statement = update(webhooks).where(which).values(values)
        return await self._database.write(lambda c: c.execute(statement).rowcount)


def hooks_of(connection: Connection, apps_: Collection[str]) -> list[Webhook]:
    """The webhooks of some apps."""
    query = select(webhooks).where(webhooks.c.app.in_(list(apps_))).order_by(webhooks.c.id)
    return [_webhook(row) for row in connection.execute(query)]


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
    connection.execute(delete(lines).where(lines.c.webhook == webhook))
    return True


def _disable(connection: Connection, webhook: str, at: int, error: str, failing_by: int) -> bool:
    failing = (webhooks.c.id == webhook) & (webhooks.c.failing_since <= failing_by)
    going_on = update(webhooks).where(failing, webhooks.c.disabled_at.is_(None))
    if not connection.execute(going_on.values(disabled_at=at)).rowcount:
        return False
    owed = (deliveries.c.webhook == webhook) & deliveries.c.dead_at.is_(None)
    connection.execute(update(deliveries).where(owed).values(dead_at=at, error=error))
    connection.execute(delete(lines).where(lines.c.webhook == webhook))
    return True


def _webhook(row: Row[Any]) -> Webhook:
    values = dict(row._mapping)
    events, sealed = tuple(values["events"].split()), bytes(values["sealed"])
    return Webhook(**{**values, "events": events, "sealed": sealed})
