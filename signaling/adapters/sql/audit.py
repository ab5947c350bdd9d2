"""The audit trail in SQL."""

from typing import Any

from msgspec.structs import asdict
from sqlalchemy import Connection, Row, insert, select, update

from signaling.adapters.sql.database import Database
from signaling.adapters.sql.tables_audit import audit, audit_heads
from signaling.audit.chain import GENESIS, Checker, Record, Verdict, following
from signaling.model import AuditEntry

PAGE = 1_000


class SqlAudit:
    """See signaling.audit.trail.AuditStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, entry: AuditEntry) -> Record:
        """One short transaction."""
        return await self._database.write(lambda c: append_audit(c, entry))

    async def page(
        self, app: str, before: int | None, limit: int, action: str | None = None
    ) -> list[Record]:
        """Newest first."""
        query = select(audit).where(audit.c.app == app)
        if before is not None:
            query = query.where(audit.c.number < before)
        if action is not None:
            query = query.where(_like(action))
        query = query.order_by(audit.c.number.desc()).limit(limit)
        rows = await self._database.read(lambda c: c.execute(query).all())
        return [_record(row) for row in rows]

    async def verify(self, app: str) -> Verdict:
        """Page by page; records that come meanwhile are checked too."""
        checker, after = Checker(app), 0
        while True:
            head = await self._database.read(lambda c: _head(c, app))
            records = await self._after(app, after)
            # The head was read first: what is newer waits for the next round.
            checker.take(record for record in records if record.number <= head[0])
            if len(records) < PAGE or records[-1].number >= head[0]:
                return checker.verdict(head)
            after = records[-1].number

    async def _after(self, app: str, number: int) -> list[Record]:
        query = select(audit).where(audit.c.app == app, audit.c.number > number)
        query = query.order_by(audit.c.number).limit(PAGE)
        rows = await self._database.read(lambda c: c.execute(query).all())
        return [_record(row) for row in rows]

    async def apps(self) -> list[str]:
        """In order."""
        query = select(audit_heads.c.app).order_by(audit_heads.c.app)
        return await self._database.read(lambda c: list(c.execute(query).scalars()))


def append_audit(connection: Connection, entry: AuditEntry) -> Record:
    """Chain an entry to its app's trail, inside the caller's transaction.

    Writers are serial (see Database), so nobody else chains to the same record.
    """
    number, previous = _head(connection, entry.app)
    record = following(entry, number + 1, previous)
    connection.execute(insert(audit).values(asdict(record)))
    head = {"number": record.number, "hash": record.hash}
    here = update(audit_heads).where(audit_heads.c.app == entry.app)
    if not connection.execute(here.values(head)).rowcount:
        connection.execute(insert(audit_heads).values({"app": entry.app, **head}))
    return record


def _head(connection: Connection, app: str) -> tuple[int, str]:
    query = select(audit_heads.c.number, audit_heads.c.hash).where(audit_heads.c.app == app)
    found = connection.execute(query).first()
    return (0, GENESIS) if found is None else (found[0], found[1])


def _like(action: str) -> Any:
    if action.endswith("*"):
        return audit.c.action.startswith(action[:-1], autoescape=True)
    return audit.c.action == action


def _record(row: Row[Any]) -> Record:
    return Record(**row._mapping)
