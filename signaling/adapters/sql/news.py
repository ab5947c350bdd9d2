"""News of what is not in the log, in SQL; and what webhooks heard last of whom."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, select, text, update

from signaling.adapters.sql.database import Database
from signaling.adapters.sql.outbox import queue
from signaling.adapters.sql.rows import json_dict, json_text
from signaling.adapters.sql.tables_outbox import leases, news, presence_told, readers
from signaling.adapters.sql.webhooks import hooks_of
from signaling.model import Presence
from signaling.outbox.news import News
from signaling.outbox.webhook import Delivery, Webhook

COUNTER = "news"
"""The row of the readers that holds the last number given out."""

_PUT = text(
    "INSERT INTO news (app, type, subject, number, line, data)"
    " VALUES (:app, :type, :subject, :number, :line, :data)"
    " ON CONFLICT (app, type, subject) DO UPDATE SET data = excluded.data"
)

Make = Callable[[list[Webhook], News], list[Delivery]]


class SqlNews:
    """See signaling.outbox.news.NewsStore and signaling.outbox.presence.PresenceTold."""

    def __init__(self, database: Database) -> None:
        # passed in
        self._database = database

    async def put(self, item: News) -> None:
        """Keep it if a webhook wants it."""
        await self._database.write(lambda c: put_news(c, [item]))

    async def take(self, limit: int, deliveries_of: Make) -> int:
        """Nothing is written while nothing waits."""
        waiting = select(news.c.number).limit(1)
        if await self._database.read(lambda c: c.scalar(waiting)) is None:
            return 0
        return await self._database.write(lambda c: _take(c, limit, deliveries_of))

    async def presence(self, app: str, now: Presence, item: News) -> None:
        """Keep it unless it is what was told last."""
        await self._database.write(lambda c: _presence(c, app, now, item))

    async def present(self, after: tuple[str, str], limit: int) -> list[tuple[str, str]]:
        """(app, user) of who was told to be here, in order."""
        key = (presence_told.c.app, presence_told.c.user)
        later = (key[0] > after[0]) | ((key[0] == after[0]) & (key[1] > after[1]))
        query = select(*key).where(presence_told.c.here, later).order_by(*key).limit(limit)
        rows = await self._database.read(lambda c: c.execute(query).all())
        return [(row[0], row[1]) for row in rows]


class SqlLeases:
    """See signaling.outbox.lease.Leases."""

    def __init__(self, database: Database) -> None:
        # passed in
        self._database = database

    async def take(self, name: str, holder: str, now: int, until: int) -> bool:
        """Compare and set; writers take turns."""
        return await self._database.write(lambda c: _lease(c, name, holder, now, until))

    async def release(self, name: str, holder: str) -> None:
        """Delete the row."""
        mine = delete(leases).where(leases.c.name == name, leases.c.holder == holder)
        await self._database.write(lambda c: c.execute(mine).rowcount)

    async def seize(self, name: str) -> None:
        """Delete the row, whosever it is."""
        statement = delete(leases).where(leases.c.name == name)
        await self._database.write(lambda c: c.execute(statement).rowcount)


def put_news(connection: Connection, items: Sequence[News]) -> int:
    """Keep those that a webhook wants; how many. Writers take turns, so numbers are in order."""
    hooks = hooks_of(connection, {item.app for item in items})
    wanted = [
        item
        for item in items
        if any(hook.app == item.app and hook.wants(item.type) for hook in hooks)
    ]
    if wanted:
        first = _numbers(connection, len(wanted)) + 1
        rows = [_row(item, number) for number, item in enumerate(wanted, first)]
        connection.execute(_PUT, rows)
    return len(wanted)


def _row(item: News, number: int) -> dict[str, Any]:
    return {
        "app": item.app,
        "type": item.type,
        "subject": item.subject,
        "number": number,
        "line": item.line,
        "data": json_text(item.data),
    }


def _numbers(connection: Connection, count: int) -> int:
    """Take `count` numbers; the last one before them."""
    mine = readers.c.name == COUNTER
    last = connection.scalar(select(readers.c.position).where(mine))
    if last is None:
        connection.execute(insert(readers).values(name=COUNTER, position=count))
        return 0
    connection.execute(update(readers).where(mine).values(position=last + count))
    return int(last)


def _take(connection: Connection, limit: int, make: Make) -> int:
    found = connection.execute(select(news).order_by(news.c.number).limit(limit)).all()
    taken = [News(**{**row._mapping, "data": json_dict(row.data)}) for row in found]
    hooks = hooks_of(connection, {item.app for item in taken})
    queued = [
        delivery
        for item in taken
        for delivery in make([hook for hook in hooks if hook.app == item.app], item)
    ]
    queue(connection, queued)
    if taken:
        connection.execute(delete(news).where(news.c.number <= taken[-1].number))
    return len(taken)


def _presence(connection: Connection, app: str, now: Presence, item: News) -> None:
    mine = (presence_told.c.app == app) & (presence_told.c.user == now.user)
    data = json_text({name: item.data[name] for name in ("status", "text", "devices")})
    told = connection.scalar(select(presence_told.c.data).where(mine))
    if told == data or (told is None and now.status == "offline"):
        return
    if not put_news(connection, [item]):
        return
    values = {"data": data, "here": now.status != "offline"}
    if told is None:
        connection.execute(insert(presence_told).values(app=app, user=now.user, **values))
    else:
        connection.execute(update(presence_told).where(mine).values(values))


def _lease(connection: Connection, name: str, holder: str, now: int, until: int) -> bool:
    row = connection.execute(select(leases).where(leases.c.name == name)).first()
    if row is None:
        connection.execute(insert(leases).values(name=name, holder=holder, until=until))
        return True
    if row.holder != holder and row.until > now:
        return False
    mine = update(leases).where(leases.c.name == name)
    connection.execute(mine.values(holder=holder, until=until))
    return True
