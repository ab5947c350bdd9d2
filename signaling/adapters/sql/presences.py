"""What is kept of presence, in SQL."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select

from signaling.adapters.presence_view import Kept
from signaling.adapters.sql.database import Database
from signaling.adapters.sql.tables import users
from signaling.adapters.sql.tables_presence import presences


class SqlPresences:
    """See adapters.memory_presence.PresenceStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, app: str, names: Sequence[str]) -> dict[str, Kept]:
        """Those of whom there is something, in one query."""
        query = select(presences).where(presences.c.app == app, presences.c.user.in_(list(names)))
        rows = await self._database.read(lambda c: c.execute(query).all())
        return {
            row.user: Kept(mode=row.mode, text=row.text, last_seen=row.last_seen) for row in rows
        }

    async def write(self, app: str, user: str, kept: Kept) -> None:
        """Insert or replace; nothing for a user who is not there, or any more."""
        await self._database.write(lambda c: _write(c, app, user, kept))


def _write(connection: Connection, app: str, user: str, kept: Kept) -> None:
    here = (presences.c.app == app) & (presences.c.user == user)
    connection.execute(delete(presences).where(here))
    known = select(users.c.id).where(users.c.app == app, users.c.id == user)
    if connection.execute(known).first() is not None:
        row = {"app": app, "user": user, "mode": kept.mode, "text": kept.text}
        connection.execute(insert(presences).values({**row, "last_seen": kept.last_seen}))
