"""What is kept of presence, in SQL."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, FromClause, delete, insert, select

from signaling.adapters.presence_view import Kept
from signaling.adapters.sql.database import Database
from signaling.adapters.sql.gather import Gather
from signaling.adapters.sql.many import TEXT, Many, Statement
from signaling.adapters.sql.tables import users
from signaling.adapters.sql.tables_presence import presences


class _Asked(NamedTuple):
    app: str
    names: Sequence[str]


class SqlPresences:
    """See adapters.memory_presence.PresenceStore."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reads: Gather[_Asked, dict[str, Kept]] = Gather(database.read, _read)

    async def read(self, app: str, names: Sequence[str]) -> dict[str, Kept]:
        """Those of whom there is something, gathered with other callers' into one query."""
        return await self._reads.submit(_Asked(app, names))

    async def write(self, app: str, user: str, kept: Kept) -> None:
        """Insert or replace; nothing for a user who is not there, or any more."""
        await self._database.write(lambda c: _write(c, app, user, kept))


def _read(connection: Connection, items: Sequence[_Asked]) -> list[dict[str, Kept]]:
    named = dict.fromkeys((item.app, name) for item in items for name in item.names)
    rows = [{"app": app, "user": user} for app, user in named]
    found = {
        (app, user): Kept(mode=mode, text=text, last_seen=last_seen)
        for app, user, mode, text, last_seen in _KEPT.execute(connection, rows)
    }
    return [
        {name: found[item.app, name] for name in item.names if (item.app, name) in found}
        for item in items
    ]


def _kept(given: FromClause) -> Statement:
    here = (presences.c.app == given.c.app) & (presences.c.user == given.c.user)
    columns = (presences.c[name] for name in ("app", "user", "mode", "text", "last_seen"))
    return select(*columns).select_from(given.join(presences, here))


_KEPT = Many({"app": TEXT, "user": TEXT}, _kept)


def _write(connection: Connection, app: str, user: str, kept: Kept) -> None:
    here = (presences.c.app == app) & (presences.c.user == user)
    connection.execute(delete(presences).where(here))
    known = select(users.c.id).where(users.c.app == app, users.c.id == user)
    if connection.execute(known).first() is not None:
        row = {"app": app, "user": user, "mode": kept.mode, "text": kept.text}
        connection.execute(insert(presences).values({**row, "last_seen": kept.last_seen}))
