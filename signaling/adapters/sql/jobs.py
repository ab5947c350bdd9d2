"""The rows of jobs, in SQL."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import asdict
from sqlalchemy import Connection, func, insert, or_, select, update

from signaling.adapters.sql.database import Database
from signaling.adapters.sql.tables_privacy import jobs
from signaling.privacy.job import Job

_UNFINISHED = ("queued", "running")
ENDED_EARLY = "the process that did it ended, time and again"


class SqlJobs:
    """See signaling.privacy.job.Jobs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, job: Job) -> Job:
        """Insert, or give back the unfinished one like it."""
        return await self._database.write(lambda c: _put(c, job))

    async def get(self, job: str) -> Job | None:
        """By id."""
        query = select(jobs).where(jobs.c.id == job)
        row = await self._database.read(lambda c: c.execute(query).first())
        return None if row is None else _job(row._mapping)

    async def all(self, app: str, before: str | None, limit: int) -> list[Job]:
        """The newest first: ids rise with time."""
        query = select(jobs).where(jobs.c.app == app)
        if before is not None:
            query = query.where(jobs.c.id < before)
        query = query.order_by(jobs.c.id.desc()).limit(limit)
        rows = await self._database.read(lambda c: c.execute(query).all())
        return [_job(row._mapping) for row in rows]

    async def take(self, holder: str, now: int, until: int, attempts: int) -> Job | None:
        """Writes are serial, so one caller gets it."""
        if await self._database.read(lambda c: _waiting(c, now)) is None:
            return None
        return await self._database.write(lambda c: _take(c, holder, now, until, attempts))

    async def keep(self, job: str, holder: str, now: int, until: int, items: int) -> bool:
        """Prolong."""
        statement = _held(job, holder).values(held_until=until, updated_at=now, items=items)
        return await self._database.write(lambda c: c.execute(statement).rowcount > 0)

    async def finish(self, job: Job, holder: str, not_before: int | None = None) -> bool:
        """Let go of it."""
        statement = _held(job.id, holder).values(**asdict(job), holder=None, held_until=not_before)
        return await self._database.write(lambda c: c.execute(statement).rowcount > 0)

    async def exports(self, app: str, user: str) -> list[Job]:
        """Of any state."""
        query = select(jobs).where(_exports(app, user))
        rows = await self._database.read(lambda c: c.execute(query).all())
        return [_job(row._mapping) for row in rows]

    async def call_off(self, app: str, user: str, error: str, now: int) -> None:
        """Without a holder nobody can finish them."""
        statement = update(jobs).where(_exports(app, user), jobs.c.state.in_(_UNFINISHED))
        statement = statement.values(
            state="failed", error=error, holder=None, held_until=None, updated_at=now
        )
        await self._database.write(lambda c: c.execute(statement).rowcount)

    async def expired(self, now: int, limit: int) -> list[Job]:
        """Archives whose time is over."""
        query = select(jobs).where(jobs.c.state == "done", jobs.c.expires_at <= now).limit(limit)
        rows = await self._database.read(lambda c: c.execute(query).all())
        return [_job(row._mapping) for row in rows]

    async def forget_result(self, job: str) -> None:
        """Its archive is gone."""
        statement = update(jobs).where(jobs.c.id == job).values(result=None, expires_at=None)
        await self._database.write(lambda c: c.execute(statement).rowcount)


def _put(connection: Connection, job: Job) -> Job:
    like = select(jobs).where(
        jobs.c.app == job.app,
        jobs.c.kind == job.kind,
        jobs.c.user == job.user,
        jobs.c.state.in_(_UNFINISHED),
    )
    row = connection.execute(like).first()
    if row is not None:
        return _job(row._mapping)
    connection.execute(insert(jobs).values(asdict(job)))
    return job


def _waiting(connection: Connection, now: int) -> str | None:
    free = or_(jobs.c.held_until.is_(None), jobs.c.held_until <= now)
    query = (
        select(jobs.c.id)
        .where(jobs.c.state.in_(_UNFINISHED), free)
        .order_by(jobs.c.updated_at, jobs.c.id)
        .limit(1)
    )
    found: str | None = connection.execute(query).scalar()
    return found


def _take(connection: Connection, holder: str, now: int, until: int, attempts: int) -> Job | None:
    worn = (jobs.c.state.in_(_UNFINISHED)) & (jobs.c.attempts >= attempts)
    over = or_(jobs.c.held_until.is_(None), jobs.c.held_until <= now)
    gone = {"holder": None, "held_until": None, "updated_at": now}
    given_up = update(jobs).where(worn, over).values(state="failed", **gone)
    connection.execute(given_up.values(error=func.coalesce(jobs.c.error, ENDED_EARLY)))
    found = _waiting(connection, now)
    if found is None:
        return None
    taken = update(jobs).where(jobs.c.id == found)
    connection.execute(
        taken.values(
            state="running",
            holder=holder,
            held_until=until,
            updated_at=now,
            items=0,
            attempts=jobs.c.attempts + 1,
        )
    )
    return _job(connection.execute(select(jobs).where(jobs.c.id == found)).one()._mapping)


def _exports(app: str, user: str) -> Any:
    return (jobs.c.app == app) & (jobs.c.user == user) & (jobs.c.kind == "export")


def _held(job: str, holder: str) -> Any:
    return update(jobs).where(jobs.c.id == job, jobs.c.holder == holder, jobs.c.state == "running")


def _job(row: Mapping[Any, Any]) -> Job:
    return Job(**{name: row[name] for name in Job.__struct_fields__})
