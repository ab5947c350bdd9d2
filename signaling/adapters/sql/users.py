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

    async def seen(self, app: str, user: str, device: str, name: str | None, at: int) -> None:
        """Insert or refresh both rows."""
        await self._database.write(lambda c: _seen(c, app, user, device, name, at))

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
            select(devices)
            .where(devices.c.app == app, devices.c.user == user)
            .order_by(devices.c.seen_at.desc(), devices.c.device)
        )
        found = await self._database.read(lambda c: c.execute(query).all())
        return [Device(**row._mapping) for row in found]

    async def revoke_device(self, app: str, user: str, device: str, at: int) -> bool:
        """Mark it; `seen` refuses it from now on."""
        statement = (
            update(devices)
            .where(devices.c.app == app, devices.c.user == user, devices.c.device == device)
            .values(revoked_at=at)
        )
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

    async def blocks(self, app: str, user: str) -> list[str]:
        """Whom the user blocks."""
        query = select(blocks.c.other).where(blocks.c.app == app, blocks.c.user == user)
        return await self._database.read(lambda c: list(c.execute(query).scalars()))


def _seen(
    connection: Connection, app: str, user: str, device: str, name: str | None, at: int
) -> None:
    revoked = select(devices.c.revoked_at).where(
        devices.c.app == app, devices.c.user == user, devices.c.device == device
    )
    known = connection.execute(revoked).first()
    if known is not None and known[0] is not None:
        raise Refused("unauthorized", "this device has been signed out")
    person = (users.c.app == app) & (users.c.id == user)
    changes: dict[str, object] = {"seen_at": at} if name is None else {"seen_at": at, "name": name}
    if not connection.execute(update(users).where(person).values(changes)).rowcount:
        row = {"app": app, "id": user, "name": name, "created_at": at, "seen_at": at}
        connection.execute(insert(users).values(row))


def _device(app: str, user: str, device: str) -> ColumnElement[bool]:
    return (devices.c.app == app) & (devices.c.user == user) & (devices.c.device == device)
