"""Metering in SQL."""

from collections.abc import Collection, Iterable
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    case,
    delete,
    func,
    insert,
    select,
    text,
    update,
)

from signaling.adapters.sql.database import Database
from signaling.adapters.sql.many import TEXT, Many, Statement
from signaling.adapters.sql.news import put_news
from signaling.adapters.sql.outbox import enqueue
from signaling.adapters.sql.pending import MESSAGE
from signaling.adapters.sql.rows import json_dict
from signaling.adapters.sql.tables import apps, events
from signaling.adapters.sql.tables_files import files
from signaling.adapters.sql.tables_outbox import readers
from signaling.adapters.sql.tables_usage import active, connections, notices, plans, totals
from signaling.errors import Refused
from signaling.outbox.metering import Page, State
from signaling.outbox.news import News
from signaling.outbox.usage import Delta, Notice, Row, Totals, periods_of

READER = "usage"
DAY_MS = 86_400_000

_ADD = text(
    "INSERT INTO usage_totals"
    " (app, period, messages, active_users, connections, stored_bytes, call_ms)"
    " VALUES (:app, :period, :messages, :active_users, 0, 0, :call_ms)"
    " ON CONFLICT (period, app) DO UPDATE SET messages = usage_totals.messages + excluded.messages,"
    " active_users = usage_totals.active_users + excluded.active_users,"
    " call_ms = usage_totals.call_ms + excluded.call_ms"
)
_PEAK = text(
    "INSERT INTO usage_totals"
    " (app, period, messages, active_users, connections, stored_bytes, call_ms)"
    " VALUES (:app, :period, 0, 0, :value, 0, 0)"
    " ON CONFLICT (period, app) DO UPDATE SET connections ="
    " CASE WHEN excluded.connections > usage_totals.connections"
    " THEN excluded.connections ELSE usage_totals.connections END"
)
_STORED = text(
    "INSERT INTO usage_totals"
    " (app, period, messages, active_users, connections, stored_bytes, call_ms)"
    " VALUES (:app, :period, 0, 0, 0, :value, 0)"
    " ON CONFLICT (period, app) DO UPDATE SET stored_bytes = excluded.stored_bytes"
)
_KEPT = ("ready", "storing")
"""As the records of files count them."""


class SqlUsage:
    """See signaling.outbox.metering.UsageStore."""

    def __init__(self, database: Database) -> None:
        # passed in
        self._database = database

    async def page(self, limit: int) -> Page:
        """One snapshot of cursor and log."""
        return await self._database.read(lambda c: _page(c, limit))

    async def add(self, page: Page, delta: Delta) -> bool:
        """All or nothing."""
        return await self._database.write(lambda c: _add(c, page, delta))

    async def rebuild(self) -> None:
        """Peaks and bytes stay: they are not in the log."""
        await self._database.write(_rebuild)

    async def prune(self, before: int) -> None:
        """By the text of the period: a month is older than its days."""
        day, month = periods_of(before)
        days = (func.length(active.c.period) == len(day)) & (active.c.period < day)
        months = (func.length(active.c.period) == len(month)) & (active.c.period < month)
        statement = delete(active).where(days | months)
        await self._database.write(lambda c: c.execute(statement).rowcount)

    async def connected(
        self, node: str, here: dict[str, tuple[int, int]], at: int, alive_since: int
    ) -> None:
        """The peak is ours and what the other living nodes have now."""
        await self._database.write(lambda c: _connected(c, node, here, at, alive_since))

    async def stored(self, at: int) -> None:
        """Distinct bytes kept; written where they changed."""
        found = await self._database.read(_stored_bytes)
        day, month = periods_of(at)
        known = await self._database.read(lambda c: _known_bytes(c, day))
        changed = {
            app: size
            for app, size in {**dict.fromkeys(known, 0), **found}.items()
            if known.get(app) != size
        }
        if changed:
            values = [
                {"app": app, "period": period, "value": size}
                for app, size in changed.items()
                for period in (day, month)
            ]
            await self._database.write(lambda c: c.execute(_STORED, values).rowcount)

    async def state(self, period: str, node: str, alive_since: int) -> State:
        """One snapshot."""
        return await self._database.read(lambda c: _state(c, period, node, alive_since))

    async def active(self, app: str, period: str, users: Collection[str]) -> set[str]:
        """By primary key."""
        query = select(active.c.user).where(
            active.c.app == app, active.c.period == period, active.c.user.in_(list(users))
        )
        return await self._database.read(lambda c: set(c.execute(query).scalars()))

    async def notice(self, notice: Notice) -> bool:
        """Notice and news in one transaction."""
        return await self._database.write(lambda c: _notice(c, notice))

    async def notices(self, app: str, periods: Iterable[str]) -> list[Notice]:
        """By time."""
        query = (
            select(notices)
            .where(notices.c.app == app, notices.c.period.in_(list(periods)))
            .order_by(notices.c.at, notices.c.used / notices.c.limit, notices.c.level.desc())
        )
        found = await self._database.read(lambda c: c.execute(query).all())
        return [Notice(**row._mapping) for row in found]

    async def totals(self, app: str, periods: Collection[str]) -> dict[str, Totals]:
        """By primary key."""
        query = select(totals).where(totals.c.app == app, totals.c.period.in_(list(periods)))
        found = await self._database.read(lambda c: c.execute(query).all())
        return {row.period: _totals(row) for row in found}

    async def plan(self, app: str) -> str | None:
        """The one assigned."""
        query = select(plans.c.plan).where(plans.c.app == app)
        return await self._database.read(lambda c: c.scalar(query))

    async def assign(self, app: str, plan: str, at: int) -> None:
        """Replace."""
        await self._database.write(lambda c: _assign(c, app, plan, at))


def _page(connection: Connection, limit: int) -> Page:
    """The database adds up: a page gives one row a user and day, however much they wrote."""
    after = _position(connection)
    later = events.c.position > after
    piece = select(events.c.position).where(later).order_by(events.c.position).limit(limit)
    several = piece.subquery()
    number, reached = connection.execute(
        select(func.count(), func.max(several.c.position)).select_from(several)
    ).one()
    if not number:
        return Page(after=after, reached=after, events=0, rows=[])
    here = (events.c.position > after) & (events.c.position <= reached)
    found = _by_user(connection, here) + _calls(connection, here)
    return Page(after=after, reached=reached, events=number, rows=found)


def _by_user(connection: Connection, here: ColumnElement[bool]) -> list[Row]:
    day = (events.c.at // DAY_MS).label("day")
    spoken = func.sum(case((events.c.type == MESSAGE, 1), else_=0))
    query = (
        select(events.c.app, events.c.sender, day, spoken)
        .where(here)
        .group_by(events.c.app, events.c.sender, day)
    )
    return [
        Row(app=row[0], sender=row[1], at=int(row[2]) * DAY_MS, messages=int(row[3]))
        for row in connection.execute(query)
    ]


def _calls(connection: Connection, here: ColumnElement[bool]) -> list[Row]:
    query = select(events.c.app, events.c.sender, events.c.at, events.c.data)
    ended = connection.execute(query.where(here, events.c.type == "call:ended"))
    return [
        Row(app=row[0], sender=row[1], at=row[2], call=json_dict(row[3]).get("call"))
        for row in ended
    ]


def _position(connection: Connection) -> int:
    query = select(readers.c.position).where(readers.c.name == READER)
    return int(connection.scalar(query) or 0)


def _add(connection: Connection, page: Page, delta: Delta) -> bool:
    if _position(connection) != page.after or not enqueue(connection, READER, page.reached, []):
        return False
    fresh = _activate(connection, delta.active)
    added = [
        {
            "app": app,
            "period": period,
            "messages": delta.messages.get((app, period), 0),
            "active_users": fresh.get((app, period), 0),
            "call_ms": delta.call_ms.get((app, period), 0),
        }
        for app, period in sorted(delta.keys())
    ]
    if added:
        connection.execute(_ADD, added)
    return True


def _activate(
    connection: Connection, keys: set[tuple[str, str, str]]
) -> dict[tuple[str, str], int]:
    """Insert those that are new; how many by (app, period)."""
    if not keys:
        return {}
    wanted = [{"app": app, "period": period, "user": user} for app, period, user in keys]
    there = {tuple(row) for row in _ACTIVE.execute(connection, wanted)}
    fresh = sorted(keys - there)
    counts: dict[tuple[str, str], int] = {}
    for app, period, _ in fresh:
        counts[(app, period)] = counts.get((app, period), 0) + 1
    if fresh:
        names = ("app", "period", "user")
        connection.execute(insert(active), [dict(zip(names, key, strict=True)) for key in fresh])
    return counts


def _find_active(key: FromClause) -> Statement:
    same = (
        (active.c.app == key.c.app)
        & (active.c.period == key.c.period)
        & (active.c.user == key.c.user)
    )
    return select(active.c.app, active.c.period, active.c.user).select_from(key.join(active, same))


_ACTIVE = Many({"app": TEXT, "period": TEXT, "user": TEXT}, _find_active)


def _rebuild(connection: Connection) -> None:
    connection.execute(delete(active))
    connection.execute(update(totals).values(messages=0, active_users=0, call_ms=0))
    connection.execute(delete(readers).where(readers.c.name == READER))


def _connected(
    connection: Connection,
    node: str,
    here: dict[str, tuple[int, int]],
    at: int,
    alive_since: int,
) -> None:
    old = (connections.c.node == node) | (connections.c.at < alive_since)
    connection.execute(delete(connections).where(old))
    kept = [
        {"app": app, "node": node, "now": now, "at": at} for app, (now, _) in here.items() if now
    ]
    if kept:
        connection.execute(insert(connections), kept)
    elsewhere = _elsewhere(connection, node, alive_since)
    peaks = [
        {"app": app, "period": period, "value": peak + elsewhere.get(app, 0)}
        for app, (_, peak) in here.items()
        if peak
        for period in periods_of(at)
    ]
    if peaks:
        connection.execute(_PEAK, peaks)


def _elsewhere(connection: Connection, node: str, alive_since: int) -> dict[str, int]:
    query = (
        select(connections.c.app, func.sum(connections.c.now))
        .where(connections.c.node != node, connections.c.at >= alive_since)
        .group_by(connections.c.app)
    )
    return {row[0]: int(row[1]) for row in connection.execute(query)}


def _stored_bytes(connection: Connection) -> dict[str, int]:
    kept = (
        select(files.c.app, files.c.sha256, files.c.size)
        .where(files.c.state.in_(_KEPT))
        .distinct()
        .subquery()
    )
    query = select(kept.c.app, func.sum(kept.c.size)).group_by(kept.c.app)
    return {row[0]: int(row[1]) for row in connection.execute(query)}


def _known_bytes(connection: Connection, day: str) -> dict[str, int]:
    query = select(totals.c.app, totals.c.stored_bytes).where(totals.c.period == day)
    return {row[0]: row[1] for row in connection.execute(query)}


def _state(connection: Connection, period: str, node: str, alive_since: int) -> State:
    found = connection.execute(select(totals).where(totals.c.period == period)).all()
    assigned = connection.execute(select(plans.c.app, plans.c.plan)).all()
    return State(
        position=_position(connection),
        totals={row.app: _totals(row) for row in found},
        plans={row[0]: row[1] for row in assigned},
        connections=_elsewhere(connection, node, alive_since),
    )


def _totals(row: Any) -> Totals:
    return Totals(**{name: getattr(row, name) for name in Totals.__struct_fields__})


def _notice(connection: Connection, notice: Notice) -> bool:
    same = (
        (notices.c.app == notice.app)
        & (notices.c.period == notice.period)
        & (notices.c.metric == notice.metric)
        & (notices.c.level == notice.level)
    )
    if connection.execute(select(notices.c.at).where(same)).first() is not None:
        return False
    connection.execute(insert(notices).values(msgspec.structs.asdict(notice)))
    news = News(
        app=notice.app,
        type=f"usage:{notice.level}",
        line="usage",
        subject=f"{notice.period}/{notice.metric}",
        data=notice.to_wire(),
    )
    put_news(connection, [news])
    return True


def _assign(connection: Connection, app: str, plan: str, at: int) -> None:
    if not connection.execute(select(apps.c.id).where(apps.c.id == app)).first():
        raise Refused("not_found", "no such app")
    connection.execute(delete(plans).where(plans.c.app == app))
    connection.execute(insert(plans).values(app=app, plan=plan, at=at))
