"""Deliveries in SQL. Each line with something open has one row that says when it goes on."""

from collections.abc import Collection, Iterable
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    ScalarSelect,
    Select,
    and_,
    delete,
    exists,
    insert,
    select,
    text,
    true,
    update,
)

from signaling.adapters.sql.database import Database
from signaling.adapters.sql.tables_outbox import deliveries, lines, readers
from signaling.outbox.webhook import Delivery

_OPEN_LINE = text(
    "INSERT INTO delivery_lines (webhook, conversation, app, next_at)"
    " VALUES (:webhook, :conversation, :app, :next_at)"
    " ON CONFLICT (webhook, conversation) DO NOTHING"
)
ERROR_CHARS = 500


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

    async def due(
        self,
        now: int,
        limit: int,
        without: Collection[str] = (),
        without_apps: Collection[str] = (),
    ) -> list[Delivery]:
        """The head of each line."""
        ready = (
            select(lines)
            .where(
                lines.c.next_at <= now,
                lines.c.webhook.not_in(list(without)),
                lines.c.app.not_in(list(without_apps)),
            )
            .order_by(lines.c.next_at)
            .limit(limit)
            .subquery()
        )
        heads = ready.join(deliveries, deliveries.c.id == _head(ready))
        query = select(deliveries).select_from(heads)
        return await self._all(query.order_by(ready.c.next_at, deliveries.c.position))

    async def done(self, delivery: Delivery) -> Delivery | None:
        """Forget it."""
        return await self._database.write(lambda c: _done(c, delivery))

    async def put_off(self, delivery: Delivery, next_at: int, error: str) -> None:
        """Two rows, however long the line is."""
        await self._database.write(lambda c: _put_off(c, delivery, next_at, error))

    async def bury(self, delivery: str, at: int, error: str) -> None:
        """Set it aside."""
        await self._database.write(lambda c: _bury(c, delivery, at, error))

    async def age(self, queued_before: int, at: int, error: str, limit: int) -> int:
        """Oldest first; lines that have nothing open any more end with it."""
        return await self._database.write(lambda c: _age(c, queued_before, at, error, limit))

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
    queue(connection, queued)
    return True


def queue(connection: Connection, queued: list[Delivery]) -> None:
    """At the ends of their lines."""
    if queued:
        connection.execute(insert(deliveries), [msgspec.structs.asdict(one) for one in queued])
        _open_lines(connection, queued)


def end_empty_lines(connection: Connection, which: ColumnElement[bool]) -> None:
    """After deliveries were taken out of lines."""
    still = exists().where(
        deliveries.c.webhook == lines.c.webhook,
        deliveries.c.conversation == lines.c.conversation,
        deliveries.c.dead_at.is_(None),
    )
    connection.execute(delete(lines).where(which, ~still))


def _open_lines(connection: Connection, queued: Iterable[Delivery]) -> None:
    first = {(one.webhook, one.conversation): one for one in reversed(list(queued))}
    rows = [
        {"webhook": webhook, "conversation": name, "app": one.app, "next_at": one.queued_at}
        for (webhook, name), one in first.items()
    ]
    connection.execute(_OPEN_LINE, rows)


def _head(line: Any) -> ScalarSelect[Any]:
    """The id of the first open delivery of a line."""
    candidates = deliveries.alias("candidates")
    query = select(candidates.c.id).where(
        candidates.c.webhook == line.c.webhook,
        candidates.c.conversation == line.c.conversation,
        candidates.c.dead_at.is_(None),
    )
    return query.order_by(candidates.c.position).limit(1).correlate(line).scalar_subquery()


def _line(delivery: Delivery) -> ColumnElement[bool]:
    return and_(lines.c.webhook == delivery.webhook, lines.c.conversation == delivery.conversation)


def _following(connection: Connection, webhook: str, conversation: str) -> Delivery | None:
    """The head of a line, due from now on; without one the line ends."""
    mine = and_(lines.c.webhook == webhook, lines.c.conversation == conversation)
    open_ones = select(deliveries).where(
        deliveries.c.webhook == webhook,
        deliveries.c.conversation == conversation,
        deliveries.c.dead_at.is_(None),
    )
    row = connection.execute(open_ones.order_by(deliveries.c.position).limit(1)).first()
    if row is None:
        connection.execute(delete(lines).where(mine))
        return None
    head = _delivery(row)
    connection.execute(update(lines).where(mine).values(next_at=head.queued_at))
    return head


def _done(connection: Connection, delivery: Delivery) -> Delivery | None:
    connection.execute(delete(deliveries).where(deliveries.c.id == delivery.id))
    return _following(connection, delivery.webhook, delivery.conversation)


def _put_off(connection: Connection, delivery: Delivery, next_at: int, error: str) -> None:
    """What was set aside while it was sent keeps nobody behind it waiting."""
    one = update(deliveries).where(deliveries.c.id == delivery.id, deliveries.c.dead_at.is_(None))
    values = {"attempts": deliveries.c.attempts + 1, "error": error[:ERROR_CHARS]}
    if connection.execute(one.values(values)).rowcount:
        connection.execute(update(lines).where(_line(delivery)).values(next_at=next_at))


def _bury(connection: Connection, delivery: str, at: int, error: str) -> None:
    one = update(deliveries).where(deliveries.c.id == delivery)
    values = {"attempts": deliveries.c.attempts + 1, "dead_at": at, "error": error[:ERROR_CHARS]}
    place = (deliveries.c.webhook, deliveries.c.conversation)
    found = connection.execute(one.values(values).returning(*place)).first()
    if found is not None:
        _following(connection, *found)


def _age(connection: Connection, before: int, at: int, error: str, limit: int) -> int:
    old = (
        select(deliveries.c.id)
        .where(deliveries.c.dead_at.is_(None), deliveries.c.queued_at < before)
        .order_by(deliveries.c.queued_at)
        .limit(limit)
    )
    aged = update(deliveries).where(deliveries.c.id.in_(old)).values(dead_at=at, error=error)
    touched = connection.execute(aged.returning(deliveries.c.webhook, deliveries.c.conversation))
    places = touched.all()
    for webhook, conversation in {tuple(place) for place in places}:
        mine = and_(lines.c.webhook == webhook, lines.c.conversation == conversation)
        end_empty_lines(connection, mine)
    return len(places)


def _revive(connection: Connection, app: str, now: int, which: ColumnElement[bool]) -> int:
    dead = and_(deliveries.c.app == app, deliveries.c.dead_at.is_not(None), which)
    statement = update(deliveries).where(dead)
    values = {"dead_at": None, "attempts": 0, "queued_at": now, "error": None}
    revived = connection.execute(statement.values(values).returning(deliveries)).all()
    if revived:
        _open_lines(connection, [_delivery(row) for row in revived])
        _hurry(connection, {(row.webhook, row.conversation) for row in revived}, now)
    return len(revived)


def _hurry(connection: Connection, places: Collection[tuple[str, str]], now: int) -> None:
    """Who replays does not want to wait for a line that was put off."""
    statement = text(
        "UPDATE delivery_lines SET next_at = :now"
        " WHERE webhook = :webhook AND conversation = :conversation AND next_at > :now"
    )
    rows = [{"webhook": webhook, "conversation": name, "now": now} for webhook, name in places]
    connection.execute(statement, rows)


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(**row._mapping)
