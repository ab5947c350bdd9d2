"""The rows of files, in SQL."""

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, delete, func, insert, select, update

from signaling.adapters.sql.database import Database
from signaling.adapters.sql.rows import json_dict, json_text
from signaling.adapters.sql.tables_files import files
from signaling.services.file_record import File, State

_KEPT = ("ready", "storing")


class SqlFiles:
    """See signaling.services.file_record.FileRecords."""

    def __init__(self, database: Database) -> None:
        # passed in
        self._database = database

    async def create(self, file: File) -> File:
        """Insert, or give back the one with this (app, sender, client_id)."""
        return await self._database.write(lambda connection: _create(connection, file))

    async def get(self, file: str) -> File | None:
        """By id."""
        return await self._one(select(files).where(files.c.id == file))

    async def find(self, app: str, sender: str, client_id: str) -> File | None:
        """The file of an offer."""
        return await self._one(_by_client_id(app, sender, client_id))

    async def replace(self, file: File, expected: State) -> bool:
        """Compare and set by state."""
        statement = (
            update(files)
            .where(files.c.id == file.id, files.c.state == expected)
            .values(_values(file))
        )
        return await self._database.write(lambda c: c.execute(statement).rowcount > 0)

    async def with_hash(self, app: str, sha256: str, limit: int = 20) -> list[File]:
        """Kept files of these bytes, newest first."""
        query = (
            select(files)
            .where(files.c.app == app, files.c.state.in_(_KEPT), files.c.sha256 == sha256)
            .order_by(files.c.id.desc())
            .limit(limit)
        )
        return await self._all(query)

    async def stored_bytes(self, app: str) -> int:
        """Distinct bytes kept, and those promised."""
        kept = (
            select(files.c.sha256, files.c.size)
            .where(files.c.app == app, files.c.state.in_(_KEPT))
            .distinct()
            .subquery()
        )
        promised = select(func.sum(files.c.size)).where(
            files.c.app == app, files.c.state == "uploading"
        )
        return await self._database.read(
            lambda c: (
                int(c.scalar(select(func.sum(kept.c.size))) or 0) + int(c.scalar(promised) or 0)
            )
        )

    async def unfinished(self, app: str, sender: str) -> int:
        """How many uploads of a User are not complete."""
        query = select(func.count()).where(
            files.c.app == app, files.c.sender == sender, files.c.state == "uploading"
        )
        return await self._database.read(lambda c: int(c.scalar(query) or 0))

    async def stale(self, state: State, before: int, limit: int = 100) -> list[File]:
        """In a state since before a time; `ready` means without a message."""
        query = select(files).where(files.c.state == state, files.c.touched_at < before)
        if state == "ready":
            query = query.where(files.c.seq.is_(None))
        return await self._all(query.order_by(files.c.touched_at).limit(limit))

    async def posted(self, after: str, limit: int) -> list[File]:
        """Files that have a message, ordered by id."""
        query = select(files).where(files.c.id > after, files.c.seq.is_not(None))
        return await self._all(query.order_by(files.c.id).limit(limit))

    async def delete(self, file: str) -> None:
        """Forget the row."""
        statement = delete(files).where(files.c.id == file)
        await self._database.write(lambda c: c.execute(statement).rowcount)

    async def _one(self, query: Select[Any]) -> File | None:
        row = await self._database.read(lambda c: c.execute(query).mappings().first())
        return None if row is None else file_of(row)

    async def _all(self, query: Select[Any]) -> list[File]:
        rows = await self._database.read(lambda c: c.execute(query).mappings().all())
        return [file_of(row) for row in rows]


def _create(connection: Connection, file: File) -> File:
    found = connection.execute(_by_client_id(file.app, file.sender, file.client_id))
    row = found.mappings().first()
    if row is not None:
        return file_of(row)
    connection.execute(insert(files).values(_values(file)))
    return file


def _by_client_id(app: str, sender: str, client_id: str) -> Select[Any]:
    return select(files).where(
        files.c.app == app, files.c.sender == sender, files.c.client_id == client_id
    )


def _values(file: File) -> dict[str, Any]:
    values = msgspec.structs.asdict(file)
    return {**values, "image": None if file.image is None else json_text(file.image)}


def file_of(row: Mapping[Any, Any]) -> File:
    """From all columns."""
    values = dict(row)
    values["image"] = None if values["image"] is None else json_dict(values["image"])
    return File(**values)
