"""Bans and reports in SQL."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import asdict
from sqlalchemy import Connection, FromClause, Row, delete, insert, select, update

from signaling.adapters.sql.audit import append_audit
from signaling.adapters.sql.database import Database
from signaling.adapters.sql.gather import Gather
from signaling.adapters.sql.many import TEXT, Each, Statement
from signaling.adapters.sql.tables_moderation import bans, reports
from signaling.model import AuditEntry
from signaling.moderation.ban import Ban
from signaling.moderation.report import Report, State

_REPORT = tuple(reports.c[name] for name in Report.__struct_fields__)


class SqlBans:
    """See signaling.moderation.ban.BanStore."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._bans: Gather[tuple[str, str], Ban | None] = Gather(database.read, _find_bans)

    async def put(self, ban: Ban, entry: AuditEntry) -> None:
        """Insert or replace."""

        def op(connection: Connection) -> None:
            connection.execute(delete(bans).where(_user(ban.app, ban.user)))
            connection.execute(insert(bans).values(asdict(ban)))
            append_audit(connection, entry)

        await self._database.write(op)

    async def remove(self, app: str, user: str, entry: AuditEntry) -> bool:
        """Lifted."""

        def op(connection: Connection) -> bool:
            gone = connection.execute(delete(bans).where(_user(app, user))).rowcount > 0
            if gone:
                append_audit(connection, entry)
            return gone

        return await self._database.write(op)

    async def get(self, app: str, user: str) -> Ban | None:
        """Also one whose time is over. Gathered with others who come in."""
        return await self._bans.submit((app, user))

    async def page(self, app: str, after: str, limit: int) -> list[Ban]:
        """Ordered by user."""
        query = select(bans).where(bans.c.app == app, bans.c.user > after)
        query = query.order_by(bans.c.user).limit(limit)
        rows = await self._database.read(lambda c: c.execute(query).all())
        return [Ban(**row._mapping) for row in rows]


class SqlReports:
    """See signaling.moderation.report.ReportStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, report: Report) -> tuple[Report, bool]:
        """Once for each member and message."""
        return await self._database.write(lambda c: _put(c, report))

    async def get(self, app: str, report: str) -> Report | None:
        """By id."""
        query = select(*_REPORT).where(reports.c.id == report, reports.c.app == app)
        row = await self._database.read(lambda c: c.execute(query).first())
        return None if row is None else _report(row)

    async def page(
        self, app: str, conversation: str | None, state: State, before: str | None, limit: int
    ) -> list[Report]:
        """Ids rise with time."""
        query = select(*_REPORT).where(reports.c.app == app, reports.c.state == state)
        if conversation is not None:
            query = query.where(reports.c.conversation == conversation)
        if before is not None:
            query = query.where(reports.c.id < before)
        query = query.order_by(reports.c.id.desc()).limit(limit)
        rows = await self._database.read(lambda c: c.execute(query).all())
        return [_report(row) for row in rows]

    async def claim(self, app: str, report: str, now: int, until: int) -> bool:
        """Compare and set; writers take turns."""
        free = reports.c.claimed_until.is_(None) | (reports.c.claimed_until <= now)
        mine = (reports.c.id == report) & (reports.c.app == app) & (reports.c.state == "open")
        statement = update(reports).where(mine, free).values(claimed_until=until)
        return await self._database.write(lambda c: c.execute(statement).rowcount > 0)

    async def release(self, report: str) -> None:
        """Nobody's."""
        statement = update(reports).where(reports.c.id == report).values(claimed_until=None)
        await self._database.write(lambda c: c.execute(statement).rowcount)

    async def resolve(self, report: Report, entry: AuditEntry) -> bool:
        """Only an open one."""

        def op(connection: Connection) -> bool:
            here = (reports.c.id == report.id) & (reports.c.state == "open")
            done = connection.execute(update(reports).where(here).values(asdict(report))).rowcount
            if done:
                append_audit(connection, entry)
            return bool(done)

        return await self._database.write(op)

    async def forget(self, app: str, user: str) -> None:
        """Blank what they said, drop what they reported."""

        def op(connection: Connection) -> None:
            mine = (reports.c.app == app) & (reports.c.sender == user)
            connection.execute(update(reports).where(mine).values(snapshot=None))
            made = (reports.c.app == app) & (reports.c.reporter == user)
            connection.execute(delete(reports).where(made))

        await self._database.write(op)


def _put(connection: Connection, report: Report) -> tuple[Report, bool]:
    query = select(*_REPORT).where(
        reports.c.conversation == report.conversation,
        reports.c.seq == report.seq,
        reports.c.reporter == report.reporter,
    )
    row = connection.execute(query).first()
    if row is not None:
        return _report(row), False
    connection.execute(insert(reports).values(asdict(report)))
    return report, True


def _find_bans(connection: Connection, users: Sequence[tuple[str, str]]) -> list[Ban | None]:
    found = _BANS.find(connection, users)
    return [Ban(**dict(zip(_BAN, rows[0], strict=True))) if rows else None for rows in found]


def _bans_of(given: FromClause) -> Statement:
    here = (bans.c.app == given.c.app) & (bans.c.user == given.c.user)
    columns = (bans.c[name] for name in _BAN)
    return select(given.c.n, *columns).select_from(given.join(bans, here))


_BAN = Ban.__struct_fields__
_BANS = Each({"app": TEXT, "user": TEXT}, _bans_of)


def _user(app: str, user: str) -> Any:
    return (bans.c.app == app) & (bans.c.user == user)


def _report(row: Row[Any]) -> Report:
    return Report(**row._mapping)
