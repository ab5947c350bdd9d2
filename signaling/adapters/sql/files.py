"""The rows of files, in SQL."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, Select, func, or_, select, update

from signaling.adapters.sql.database import Database
from signaling.adapters.sql.file_rows import (
    KEPT,
    add_file,
    change_file,
    drop_file,
    file_of,
    find_file,
    twin_of,
)
from signaling.adapters.sql.rows import json_dict
from signaling.adapters.sql.tables import events
from signaling.adapters.sql.tables_files import files, files_space
from signaling.errors import Refused
from signaling.services.file_record import File, State


class SqlFiles:
    """See signaling.services.file_record.FileRecords."""

    def __init__(self, database: Database) -> None:
        # passed in
        self._database = database

    async def create(self, file: File, most: int | None = None) -> File:
        """Insert, or give back the one with this (app, sender, client_id)."""
        return await self._database.write(lambda connection: _create(connection, file, most))

    async def get(self, file: str) -> File | None:
        """By id."""
        return await self._one(select(files).where(files.c.id == file))

    async def find(self, app: str, sender: str, client_id: str) -> File | None:
        """The file of an offer."""
        return await self._one(_by_client_id(app, sender, client_id))

    async def replace(self, file: File, expected: State) -> bool:
        """Compare and set by state."""
        return await self._database.write(
            lambda c: change_file(c, file.id, expected, lambda _: file) is not None
        )

    async def hold(self, file: str, spool: str, now: int) -> bool:
        """One row."""
        here = (files.c.id == file) & (files.c.state == "uploading")
        statement = update(files).where(here).values(spool=spool, touched_at=now)
        return await self._database.write(lambda c: c.execute(statement).rowcount > 0)

    async def touch(self, files_: Sequence[str], now: int) -> None:
        """In one statement."""
        here = files.c.id.in_(list(files_)) & files.c.seq.is_(None)
        statement = update(files).where(here, files.c.touched_at < now).values(touched_at=now)
        await self._database.write(lambda c: c.execute(statement).rowcount)

    async def keep(self, file: File, now: int) -> File | None:
        """The blob is chosen in the transaction that makes it kept."""
        return await self._database.write(
            lambda c: change_file(
                c, file.id, "uploading", lambda row: _kept(row, twin_of(c, row), now)
            )
        )

    async def adopt(self, file: File, twin: File, now: int) -> File | None:
        """The twin is looked at again, in the transaction."""
        return await self._database.write(lambda c: _adopt(c, file, twin, now))

    async def abandon(self, file: File, before: int, now: int) -> File | None:
        """It may have begun to move since it was looked at."""

        def given_up(row: File) -> File | None:
            return (
                replace(row, state="cancelled", touched_at=now) if row.touched_at < before else None
            )

        return await self._database.write(lambda c: change_file(c, file.id, "uploading", given_up))

    async def with_hash(self, app: str, sha256: str, limit: int = 20) -> list[File]:
        """Kept files of these bytes, newest first."""
        query = (
            select(files)
            .where(files.c.app == app, files.c.state.in_(KEPT), files.c.sha256 == sha256)
            .order_by(files.c.id.desc())
            .limit(limit)
        )
        return await self._all(query)

    async def unreferenced(self, blobs: Sequence[str]) -> list[str]:
        """One look at all of them."""
        query = select(files.c.blob).where(files.c.blob.in_(list(blobs)), files.c.state.in_(KEPT))
        found = await self._database.read(lambda c: set(c.execute(query).scalars()))
        return [blob for blob in blobs if blob and blob not in found]

    async def stored_bytes(self, app: str) -> int:
        """Kept by every change of a row, so it is one row to read."""
        query = select(files_space.c.bytes).where(files_space.c.app == app)
        return await self._database.read(lambda c: int(c.scalar(query) or 0))

    async def unfinished(self, app: str, sender: str) -> int:
        """How many uploads of a User are not complete."""
        query = select(func.count()).where(
            files.c.app == app, files.c.sender == sender, files.c.state == "uploading"
        )
        return await self._database.read(lambda c: int(c.scalar(query) or 0))

    async def stale(self, state: State, before: int, limit: int = 100) -> list[File]:
        """In a state since before a time; `ready` means of a Room."""
        query = _unposted(before, limit).where(files.c.state == state)
        if state == "ready":
            query = query.where(files.c.room.is_not(None))
        return await self._all(query)

    async def half_done(self, spool: str, before: int, limit: int = 100) -> list[File]:
        """By the partial index."""
        here = files.c.spool.is_(None) | (files.c.spool == spool)
        storing = (files.c.state == "storing") & here
        ready = (files.c.state == "ready") & files.c.conversation.is_not(None)
        return await self._all(_unposted(before, limit).where(or_(storing, ready)))

    async def stranded(self, spool: str, before: int, limit: int = 1000) -> list[File]:
        """By the partial index."""
        elsewhere = (files.c.state == "storing") & (files.c.spool != spool)
        return await self._all(_unposted(before, limit).where(elsewhere))

    async def withdrawn(self, after: str, limit: int) -> tuple[list[File], str | None]:
        """Files and their messages, in one query."""
        place = (events.c.conversation == files.c.conversation) & (events.c.seq == files.c.seq)
        query = (
            select(files, events.c.data.label("message"))
            .select_from(files.outerjoin(events, place))
            .where(files.c.id > after, files.c.seq.is_not(None))
            .order_by(files.c.id)
            .limit(limit)
        )
        rows = await self._database.read(lambda c: c.execute(query).mappings().all())
        gone = [file_of(row) for row in rows if _empty(row["message"])]
        return gone, rows[-1]["id"] if len(rows) == limit else None

    async def delete(self, file: str) -> None:
        """Forget the row."""
        await self._database.write(lambda c: drop_file(c, file))

    async def _one(self, query: Select[Any]) -> File | None:
        row = await self._database.read(lambda c: c.execute(query).mappings().first())
        return None if row is None else file_of(row)

    async def _all(self, query: Select[Any]) -> list[File]:
        rows = await self._database.read(lambda c: c.execute(query).mappings().all())
        return [file_of(row) for row in rows]


def _create(connection: Connection, file: File, most: int | None) -> File:
    found = connection.execute(_by_client_id(file.app, file.sender, file.client_id))
    row = found.mappings().first()
    if row is not None:
        return file_of(row)
    weight = add_file(connection, file)
    if most is not None and weight > most:
        raise Refused("quota_exceeded", "the app's space for files is used up")
    return file


def _adopt(connection: Connection, file: File, twin: File, now: int) -> File | None:
    there = find_file(connection, twin.id)
    if there is None or there.state != "ready" or there.blob != twin.blob:
        return None
    ready = {"state": "ready", "blob": there.blob, "image": there.image, "touched_at": now}
    return change_file(connection, file.id, "uploading", lambda row: replace(row, **ready))


def _kept(row: File, twin: File | None, now: int) -> File:
    if twin is None:
        return replace(row, state="storing", blob=row.own_blob, touched_at=now)
    return replace(row, state="storing", blob=twin.blob, image=twin.image, touched_at=now)


def _unposted(before: int, limit: int) -> Select[Any]:
    query = select(files).where(files.c.seq.is_(None), files.c.touched_at < before)
    return query.order_by(files.c.touched_at).limit(limit)


def _empty(message: str | None) -> bool:
    return message is None or json_dict(message).get("body") is None


def _by_client_id(app: str, sender: str, client_id: str) -> Select[Any]:
    return select(files).where(
        files.c.app == app, files.c.sender == sender, files.c.client_id == client_id
    )
