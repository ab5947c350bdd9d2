"""People, their devices, and whom they block, in SQL."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select, update

from signaling.adapters.sql.blocks import block, blocking, unblock
from signaling.adapters.sql.database import Database
from signaling.adapters.sql.gather import Gather
from signaling.adapters.sql.tables import blocks, devices, users
from signaling.adapters.sql.visits import Visit, visit_many
from signaling.model import Device


class SqlUsers:
    """See ports.Users."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._visits: Gather[Visit, None] = Gather(database.write, visit_many)

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
        """Gathered with others who come into one commit."""
        await self._visits.submit(Visit(app, user, device, name, at, issued_at, label))

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


def _device(app: str, user: str, device: str) -> ColumnElement[bool]:
    return (devices.c.app == app) & (devices.c.user == user) & (devices.c.device == device)
