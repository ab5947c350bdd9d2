"""What is kept of presence, in SQL."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, FromClause, delete, insert, select, tuple_

from signaling.adapters.presence_view import Kept
from signaling.adapters.sql.database import Database
from signaling.adapters.sql.gather import Gather
from signaling.adapters.sql.many import INT, TEXT, Many, Statement
from signaling.adapters.sql.of_users import Asked, OfUsers
from signaling.adapters.sql.tables import users
from signaling.adapters.sql.tables_presence import presences


class _Said(NamedTuple):
    app: str
    user: str
    mode: str
    text: str | None
    last_seen: int | None


class SqlPresences:
    """See adapters.memory_presence.PresenceStore."""

    def __init__(self, database: Database) -> None:
        self._reads: Gather[Asked, dict[str, Kept]] = Gather(database.read, _read)
        self._writes: Gather[_Said, None] = Gather(database.write, _write)

    async def read(self, app: str, names: Sequence[str]) -> dict[str, Kept]:
        """Those of whom there is something, gathered with other callers' into one query."""
        return await self._reads.submit((app, names))

    async def write(self, app: str, user: str, kept: Kept) -> None:
        """Insert or replace, gathered with others who go; nothing for a user who is not there, or
        any more.
        """
        await self._writes.submit(_Said(app, user, kept.mode, kept.text, kept.last_seen))


def _read(connection: Connection, asked: Sequence[Asked]) -> list[dict[str, Kept]]:
    return [
        {user: Kept(mode=row[0], text=row[1], last_seen=row[2]) for user, row in found.items()}
        for found in _KEPT.find(connection, asked)
    ]


_KEPT = OfUsers(presences, "mode", "text", "last_seen")


def _write(connection: Connection, items: Sequence[_Said]) -> list[None]:
    last = {(item.app, item.user): item._asdict() for item in items}
    rows = list(last.values())
    _FORGET.execute(connection, rows)
    _KEEP.execute(connection, rows)
    return [None] * len(items)


def _forget(given: FromClause) -> Statement:
    named = select(given.c.app, given.c.user)
    return delete(presences).where(tuple_(presences.c.app, presences.c.user).in_(named))


def _keep(given: FromClause) -> Statement:
    here = (users.c.app == given.c.app) & (users.c.id == given.c.user)
    rows = select(*(given.c[name] for name in _FIELDS)).select_from(given.join(users, here))
    return insert(presences).from_select(list(_FIELDS), rows)


_FIELDS = _Said._fields
_SAID = {**dict.fromkeys(("app", "user", "mode", "text"), TEXT), "last_seen": INT}
_FORGET, _KEEP = Many(_SAID, _forget), Many(_SAID, _keep)
