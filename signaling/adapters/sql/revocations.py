"""Taken back tokens in SQL."""

from sqlalchemy import ColumnElement, Connection, delete, func, insert, or_, select

from signaling.adapters.sql.database import Database
from signaling.adapters.sql.tables_access import revocations
from signaling.auth.revocation import Revocation

FIELDS = ("number", "app", "at", "user", "jti", "key", "device")
PAGE = 500


class SqlRevocations:
    """See auth.revocation.RevocationStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, revocation: Revocation, until: int) -> int:
        """Insert under a number above every other."""
        return await self._database.write(lambda c: _put(c, revocation, until))

    async def names(
        self, app: str, user: str, jti: str | None, issued_at: int, device: str | None = None
    ) -> bool:
        """By user and time, all or of the device, or by `jti`."""
        table = revocations.c
        which: ColumnElement[bool] = table.device.is_(None)
        if device is not None:
            which |= table.device == device
        whose: list[ColumnElement[bool]] = [(table.user == user) & (table.at >= issued_at) & which]
        if jti is not None:
            whose.append(table.jti == jti)
        here = or_(*whose)
        query = select(table.number).where(table.app == app, here).limit(1)
        return await self._database.read(lambda c: c.execute(query).first() is not None)

    async def after(self, number: int) -> list[Revocation]:
        """A page of the newer ones."""
        columns = [revocations.c[name] for name in FIELDS]
        query = select(*columns).where(revocations.c.number > number)
        query = query.order_by(revocations.c.number).limit(PAGE)
        found = await self._database.read(lambda c: c.execute(query).all())
        return [Revocation(**row._mapping) for row in found]

    async def last(self) -> int:
        """0 when there is none."""
        query = select(func.max(revocations.c.number))
        return await self._database.read(lambda c: int(c.execute(query).scalar() or 0))

    async def forget(self, before: int) -> None:
        """Drop those whose time is over."""
        statement = delete(revocations).where(revocations.c.until < before)
        await self._database.write(lambda c: c.execute(statement).rowcount)


def _put(connection: Connection, revocation: Revocation, until: int) -> int:
    last = int(connection.execute(select(func.max(revocations.c.number))).scalar() or 0)
    # From the clock, so that numbers go on growing when all rows have been forgotten.
    number = max(last + 1, revocation.at)
    row = {name: getattr(revocation, name) for name in FIELDS}
    connection.execute(insert(revocations).values({**row, "number": number, "until": until}))
    return number
