"""Who may see whom, in SQL."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select

from signaling.adapters.sql.database import Database
from signaling.adapters.sql.tables_moderation import privacies
from signaling.moderation.privacy import Chosen


class SqlPrivacies:
    """See signaling.moderation.privacy.PrivacyStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, app: str, user: str, chosen: Chosen) -> None:
        """Insert or replace."""

        def op(connection: Connection) -> None:
            _forget(connection, app, user)
            row = {"app": app, "user": user, "presence": chosen.presence}
            connection.execute(insert(privacies).values({**row, "last_seen": chosen.last_seen}))

        await self._database.write(op)

    async def of(self, app: str, users: Sequence[str]) -> dict[str, Chosen]:
        """Of those who chose."""
        query = select(privacies).where(privacies.c.app == app, privacies.c.user.in_(list(users)))
        rows = await self._database.read(lambda c: c.execute(query).all())
        return {row.user: Chosen(presence=row.presence, last_seen=row.last_seen) for row in rows}

    async def forget(self, app: str, user: str) -> None:
        """As if they never chose."""
        await self._database.write(lambda connection: _forget(connection, app, user))


def _forget(connection: Connection, app: str, user: str) -> None:
    here = (privacies.c.app == app) & (privacies.c.user == user)
    connection.execute(delete(privacies).where(here))
