"""People, their devices, and whom they block, in SQL."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, insert, select, update

from signaling.adapters.sql.blocks import block, blocking, unblock
from signaling.adapters.sql.database import Database
from signaling.adapters.sql.tables import blocks, devices, users
from signaling.errors import Refused
from signaling.model import Device


class SqlUsers:
    """See ports.Users."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def seen(
        self,
        app: str,
        user: str,
        device: str | None,
        name: str | None,
        at: int,
        *,
        issued_at: int = 0,
        label: str | None = None,
    ) -> None:
        """Insert or refresh both rows."""

        def op(connection: Connection) -> None:
            if device is not None:
                _device_seen(connection, (app, user, device), at, issued_at, label)
            _user_seen(connection, app, user, name, at)

        await self._database.write(op)

    async def names(self, app: str, users_: Sequence[str]) -> dict[str, str]:
        """Names by user, of those that have one."""
        query = select(users.c.id, users.c.name).where(
            users.c.app == app, users.c.id.in_(list(users_)), users.c.name.is_not(None)
        )
        found = await self._database.read(lambda c: c.execute(query).all())
        return {row[0]: row[1] for row in found}

    async def devices(self, app: str, user: str) -> list[Device]:
        """A user's devices, the latest seen first."""
        query = (
            select(*(devices.c[field] for field in Device.__struct_fields__))
            .where(devices.c.app == app, devices.c.user == user)
            .order_by(devices.c.seen_at.desc(), devices.c.device)
        )
        found = await self._database.read(lambda c: c.execute(query).all())
        return [Device(**row._mapping) for row in found]

    async def revoke_device(self, app: str, user: str, device: str, at: int) -> bool:
        """Mark it; `seen` refuses the tokens it has."""
        statement = update(devices).where(_device(app, user, device))
        statement = statement.values(revoked_at=at, not_before=at)
        return await self._database.write(lambda c: c.execute(statement).rowcount > 0)

    async def block(self, app: str, user: str, other: str, direct: str, most: int) -> None:
        """The row and the conversation's mark together."""
        await self._database.write(lambda c: block(c, app, user, other, direct, most))

    async def unblock(self, app: str, user: str, other: str, direct: str) -> None:
        """Likewise."""
        await self._database.write(lambda c: unblock(c, app, user, other, direct))

    async def blocked(self, app: str, by: str, user: str) -> bool:
        """Whether `by` blocks `user`."""
        return bool(await self._database.read(lambda c: blocking(c, app, [by], user)))

    async def blocking(self, app: str, users_: Sequence[str], other: str) -> list[str]:
        """Rows of the key, no lists."""
        return await self._database.read(lambda c: blocking(c, app, users_, other))

    async def blocks(self, app: str, user: str) -> list[str]:
        """Whom the user blocks."""
        query = select(blocks.c.other).where(blocks.c.app == app, blocks.c.user == user)
        return await self._database.read(lambda c: list(c.execute(query).scalars()))


def _device_seen(
    connection: Connection, place: tuple[str, str, str], at: int, issued_at: int, label: str | None
) -> None:
    here = _device(*place)
    known = connection.execute(select(devices.c.not_before).where(here)).first()
    if known is None:
        app, user, device = place
        row = {"app": app, "user": user, "device": device, "name": label}
        connection.execute(insert(devices).values({**row, "created_at": at, "seen_at": at}))
        return
    if known[0] is not None and issued_at <= known[0]:
        raise Refused("unauthorized", "this device has been signed out")
    changes: dict[str, object] = {"seen_at": at, "revoked_at": None}
    changes |= {} if label is None else {"name": label}
    connection.execute(update(devices).where(here).values(changes))


def _user_seen(connection: Connection, app: str, user: str, name: str | None, at: int) -> None:
    person = (users.c.app == app) & (users.c.id == user)
    changes: dict[str, object] = {"seen_at": at} if name is None else {"seen_at": at, "name": name}
    if not connection.execute(update(users).where(person).values(changes)).rowcount:
        row = {"app": app, "id": user, "name": name, "created_at": at, "seen_at": at}
        connection.execute(insert(users).values(row))


def _device(app: str, user: str, device: str) -> ColumnElement[bool]:
    return (devices.c.app == app) & (devices.c.user == user) & (devices.c.device == device)
