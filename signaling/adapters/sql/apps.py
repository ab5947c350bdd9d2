"""Tenants and their keys in SQL."""

from collections.abc import Callable, Sequence
from functools import partial

import msgspec
from sqlalchemy import Connection, Row, delete, insert, select, update

from signaling.adapters.sql.audit import append_audit
from signaling.adapters.sql.database import Database
from signaling.adapters.sql.gather import Gather
from signaling.adapters.sql.rows import json_dict, json_text
from signaling.adapters.sql.tables import api_keys, apps
from signaling.errors import Refused
from signaling.model import ApiKey, App, AuditEntry
from signaling.ports.apps import ChangeApp, ChangeKey


class SqlApps:
    """See ports.Apps."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._keys: Gather[str, ApiKey | None] = Gather(database.read, _find_keys)

    async def create(self, app: App, entry: AuditEntry | None = None) -> App:
        """Insert; the id must be new."""
        await self._write(partial(_create, app=app), entry)
        return app

    async def change(self, app: str, change: ChangeApp) -> App:
        """Read and replace. Raises Refused not_found."""
        return await self._database.write(partial(_change, app=app, change=change))

    async def get(self, app: str) -> App | None:
        """One tenant."""
        query = select(apps).where(apps.c.id == app)
        found = await self._database.read(lambda c: c.execute(query).one_or_none())
        return _app(found) if found else None

    async def all(self) -> list[App]:
        """Every tenant, by id."""
        query = select(apps).order_by(apps.c.id)
        return [_app(row) for row in await self._database.read(lambda c: c.execute(query).all())]

    async def put_key(self, key: ApiKey, entry: AuditEntry | None = None) -> None:
        """Insert or replace."""
        await self._write(partial(_put_key, key=key), entry)

    async def change_key(self, key: str, change: ChangeKey) -> None:
        """Read, and insert or replace."""
        await self._database.write(partial(_change_key, key=key, change=change))

    async def key(self, key: str) -> ApiKey | None:
        """One key, revoked ones too; read once for all who ask at the same time."""
        return await self._keys.submit(key)

    async def keys(self, app: str) -> list[ApiKey]:
        """An app's keys, oldest first."""
        query = select(api_keys).where(api_keys.c.app == app)
        query = query.order_by(api_keys.c.created_at, api_keys.c.id)
        return [_key(row) for row in await self._database.read(lambda c: c.execute(query).all())]

    async def _write(self, op: Callable[[Connection], None], entry: AuditEntry | None) -> None:
        def both(connection: Connection) -> None:
            op(connection)
            if entry is not None:
                append_audit(connection, entry)

        await self._database.write(both)


def _create(connection: Connection, app: App) -> None:
    if connection.execute(select(apps.c.id).where(apps.c.id == app.id)).first():
        raise Refused("conflict", "this app id is taken")
    connection.execute(
        insert(apps).values(
            id=app.id, name=app.name, created_at=app.created_at, settings=json_text(app.settings)
        )
    )


def _change(connection: Connection, app: str, change: ChangeApp) -> App:
    found = connection.execute(select(apps).where(apps.c.id == app)).one_or_none()
    if found is None:
        raise Refused("not_found", f"no app {app!r}")
    changed, entry = change(_app(found))
    values = {"name": changed.name, "settings": json_text(changed.settings)}
    connection.execute(update(apps).where(apps.c.id == app).values(values))
    append_audit(connection, entry)
    return changed


def _find_key(connection: Connection, key: str) -> ApiKey | None:
    found = connection.execute(select(api_keys).where(api_keys.c.id == key)).one_or_none()
    return _key(found) if found else None


def _find_keys(connection: Connection, keys: Sequence[str]) -> list[ApiKey | None]:
    found = {key: _find_key(connection, key) for key in dict.fromkeys(keys)}
    return [found[key] for key in keys]


def _change_key(connection: Connection, key: str, change: ChangeKey) -> None:
    for changed, entry in change(_find_key(connection, key)):
        _put_key(connection, changed)
        append_audit(connection, entry)


def _put_key(connection: Connection, key: ApiKey) -> None:
    if not connection.execute(select(apps.c.id).where(apps.c.id == key.app)).first():
        raise Refused("not_found", "no such app")
    connection.execute(delete(api_keys).where(api_keys.c.id == key.id))
    values = msgspec.structs.asdict(key)
    connection.execute(insert(api_keys).values({**values, "scopes": " ".join(key.scopes)}))


def _app(row: Row[tuple[object, ...]]) -> App:
    values = dict(row._mapping)
    return App(**{**values, "settings": json_dict(values["settings"])})


def _key(row: Row[tuple[object, ...]]) -> ApiKey:
    values = dict(row._mapping)
    sealed, digest = bytes(values["sealed"]), bytes(values["digest"])
    scopes = tuple(values["scopes"].split())
    return ApiKey(**{**values, "sealed": sealed, "digest": digest, "scopes": scopes})
