"""Web Push in SQL: browsers, whom a message may wake, and what is on its way."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, delete, exists, insert, select, update

from signaling.adapters.sql.database import Database
from signaling.adapters.sql.outbox import enqueue
from signaling.adapters.sql.rows import json_dict
from signaling.adapters.sql.tables import blocks, devices, members
from signaling.adapters.sql.tables_push import pushes, subscriptions
from signaling.outbox.push import Push, Subscription, Target
from signaling.outbox.webhook import Delivery

_PUSH = tuple(pushes.c)
_SUBSCRIPTION = tuple(subscriptions.c)


class SqlSubscriptions:
    """See signaling.outbox.push.Subscriptions."""

    def __init__(self, database: Database) -> None:
        # passed in
        self._database = database

    async def put(self, subscription: Subscription, most: int) -> None:
        """Insert or replace, and keep the newest."""
        await self._database.write(lambda c: _put(c, subscription, most))

    async def remove(self, app: str, user: str, endpoint: str) -> bool:
        """Delete one's own."""
        mine = (
            (subscriptions.c.app == app)
            & (subscriptions.c.user == user)
            & (subscriptions.c.endpoint == endpoint)
        )
        statement = delete(subscriptions).where(mine)
        return await self._database.write(lambda c: c.execute(statement).rowcount > 0)

    async def drop(self, subscription: str) -> None:
        """Delete it, and what was on its way."""
        await self._database.write(lambda c: _drop(c, [subscription]))

    async def of(self, app: str, user: str) -> list[Subscription]:
        """A user's, oldest first."""
        rows = await self._database.read(lambda c: c.execute(_of(app, user)).all())
        return [Subscription(**row._mapping) for row in rows]


class SqlPushes:
    """See signaling.outbox.push.Pushes."""

    def __init__(self, database: Database) -> None:
        # passed in
        self._database = database

    async def anybody(self) -> bool:
        """The first row will do."""
        query = select(subscriptions.c.id).limit(1)
        return await self._database.read(lambda c: c.scalar(query)) is not None

    async def any(self, apps: Collection[str]) -> set[str]:
        """One look at the index for each."""
        return await self._database.read(lambda c: {app for app in apps if _any(c, app)})

    async def targets(
        self, conversation: str, sender: str, *, subscribed: bool, limit: int
    ) -> list[Target]:
        """Members with their browsers; those of devices that were signed out are left out."""
        query = _targets(conversation, sender, subscribed=subscribed).limit(limit)
        return await self._database.read(
            lambda c: _gathered(tuple(row) for row in c.execute(query))
        )

    async def enqueue(
        self, reader: str, position: int, queued: list[Push], deliveries: list[Delivery]
    ) -> None:
        """All or nothing."""
        await self._database.write(lambda c: _enqueue(c, reader, position, queued, deliveries))

    async def add(self, queued: list[Push]) -> None:
        """Insert."""
        await self._database.write(lambda c: _add(c, queued))

    async def due(
        self, now: int, limit: int, without: Sequence[str] = ()
    ) -> list[tuple[Push, Subscription]]:
        """With the browser each goes to."""
        query = (
            select(*_PUSH, *_SUBSCRIPTION)
            .join(subscriptions, subscriptions.c.id == pushes.c.subscription)
            .where(pushes.c.next_at <= now, pushes.c.app.not_in(list(without)))
            .order_by(pushes.c.next_at)
            .limit(limit)
        )
        rows = await self._database.read(lambda c: c.execute(query).all())
        found = [_pair(tuple(row)) for row in rows]
        over = [push.id for push, _ in found if push.expires_at <= now]
        if over:
            await self._database.write(
                lambda c: c.execute(delete(pushes).where(pushes.c.id.in_(over))).rowcount
            )
        return [pair for pair in found if pair[0].expires_at > now]

    async def done(self, push: str) -> None:
        """Forget it."""
        statement = delete(pushes).where(pushes.c.id == push)
        await self._database.write(lambda c: c.execute(statement).rowcount)

    async def put_off(self, push: str, next_at: int) -> None:
        """Count the failure."""
        statement = update(pushes).where(pushes.c.id == push)
        values = {"attempts": pushes.c.attempts + 1, "next_at": next_at}
        await self._database.write(lambda c: c.execute(statement.values(values)).rowcount)


def _of(app: str, user: str) -> Select[Any]:
    mine = (subscriptions.c.app == app) & (subscriptions.c.user == user)
    order = (subscriptions.c.created_at, subscriptions.c.id)
    return select(subscriptions).where(mine).order_by(*order)


def _put(connection: Connection, subscription: Subscription, most: int) -> None:
    same = subscriptions.c.id == subscription.id
    owner = connection.scalar(select(subscriptions.c.user).where(same))
    if owner is not None and owner != subscription.user:
        _drop(connection, [subscription.id])  # what was for the last user is not for this one
    connection.execute(delete(subscriptions).where(same))
    connection.execute(insert(subscriptions).values(msgspec.structs.asdict(subscription)))
    mine = connection.execute(_of(subscription.app, subscription.user)).all()
    _drop(connection, [row.id for row in mine[:-most]])


def _drop(connection: Connection, gone: list[str]) -> None:
    if gone:
        connection.execute(delete(pushes).where(pushes.c.subscription.in_(gone)))
        connection.execute(delete(subscriptions).where(subscriptions.c.id.in_(gone)))


def _any(connection: Connection, app: str) -> bool:
    query = select(subscriptions.c.id).where(subscriptions.c.app == app).limit(1)
    return connection.scalar(query) is not None


def _targets(conversation: str, sender: str, *, subscribed: bool) -> Select[Any]:
    signed_out = (
        exists()
        .where(
            devices.c.app == subscriptions.c.app,
            devices.c.user == subscriptions.c.user,
            devices.c.device == subscriptions.c.device,
            devices.c.revoked_at.is_not(None),
        )
        .correlate(subscriptions)
    )
    blocking = exists().where(
        blocks.c.app == members.c.app, blocks.c.user == members.c.user, blocks.c.other == sender
    )
    browsers = (
        (subscriptions.c.app == members.c.app)
        & (subscriptions.c.user == members.c.user)
        & ~signed_out
    )
    return (
        select(members.c.user, members.c.read, members.c.preferences, *_SUBSCRIPTION)
        .select_from(members.join(subscriptions, browsers, isouter=not subscribed))
        .where(
            members.c.conversation == conversation,
            members.c.left_at.is_(None),
            members.c.user != sender,
            ~blocking,
        )
        .order_by(members.c.user)
    )


def _gathered(rows: Iterable[Sequence[Any]]) -> list[Target]:
    """One target a user, with all their browsers."""
    browsers: dict[str, list[Subscription]] = {}
    first: dict[str, Sequence[Any]] = {}
    for row in rows:
        first.setdefault(row[0], row)
        mine = browsers.setdefault(row[0], [])
        if row[3] is not None:
            mine.append(_subscription(row[3:]))
    return [
        Target(
            user=user,
            read=row[1],
            preferences=json_dict(row[2]),
            subscriptions=tuple(browsers[user]),
        )
        for user, row in first.items()
    ]


def _subscription(values: Sequence[Any]) -> Subscription:
    names = [column.name for column in _SUBSCRIPTION]
    return Subscription(**dict(zip(names, values, strict=True)))


def _pair(row: Sequence[Any]) -> tuple[Push, Subscription]:
    names = [column.name for column in _PUSH]
    push = Push(**dict(zip(names, row[: len(names)], strict=True)))
    return push, _subscription(row[len(names) :])


def _enqueue(
    connection: Connection,
    reader: str,
    position: int,
    queued: list[Push],
    deliveries: list[Delivery],
) -> None:
    if enqueue(connection, reader, position, deliveries):
        _add(connection, queued)


def _add(connection: Connection, queued: list[Push]) -> None:
    """A push that is there already (its id follows from its cause) is left alone."""
    ids = [push.id for push in queued]
    there = set(connection.execute(select(pushes.c.id).where(pushes.c.id.in_(ids))).scalars())
    fresh = [msgspec.structs.asdict(push) for push in queued if push.id not in there]
    if fresh:
        connection.execute(insert(pushes), fresh)
