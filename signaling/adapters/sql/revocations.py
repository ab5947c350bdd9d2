"""Taken back tokens in SQL."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, FromClause, delete, func, insert, select

from signaling.adapters.sql.database import Database
from signaling.adapters.sql.gather import Gather
from signaling.adapters.sql.many import INT, TEXT, Each, Statement
from signaling.adapters.sql.tables_access import revocations
from signaling.auth.revocation import Revocation

FIELDS = ("number", "app", "at", "user", "jti", "key", "device")
PAGE = 500


class _Token(NamedTuple):
    app: str
    user: str
    jti: str | None
    issued_at: int
    device: str | None


class SqlRevocations:
    """See auth.revocation.RevocationStore."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._names: Gather[_Token, bool] = Gather(database.read, _named)

    async def put(self, revocation: Revocation, until: int) -> int:
        """Insert under a number above every other."""
        return await self._database.write(lambda c: _put(c, revocation, until))

    async def names(
        self, app: str, user: str, jti: str | None, issued_at: int, device: str | None = None
    ) -> bool:
        """Gathered with other tokens that are looked at."""
        return await self._names.submit(_Token(app, user, jti, issued_at, device))

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


def _named(connection: Connection, tokens: Sequence[_Token]) -> list[bool]:
    """By user and time, all or of the device, or by `jti`: each a search of its own, as neither
    database looks two indexes up for many rows.
    """
    by_user, by_jti = _BY_USER.find(connection, tokens), _BY_JTI.find(connection, tokens)
    return [bool(mine or its) for mine, its in zip(by_user, by_jti, strict=True)]


def _by_user(given: FromClause) -> Statement:
    table, token = revocations.c, given.c
    which = table.device.is_(None) | (table.device == token.device)
    here = (table.app == token.app) & (table.user == token.user) & (table.at >= token.issued_at)
    return select(token.n).distinct().select_from(given.join(revocations, here & which))


def _by_jti(given: FromClause) -> Statement:
    here = (revocations.c.app == given.c.app) & (revocations.c.jti == given.c.jti)
    return select(given.c.n).distinct().select_from(given.join(revocations, here))


_COLUMNS = {"app": TEXT, "user": TEXT, "jti": TEXT, "issued_at": INT, "device": TEXT}
_BY_USER, _BY_JTI = Each(_COLUMNS, _by_user), Each(_COLUMNS, _by_jti)
