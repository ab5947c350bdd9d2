"""Who may see whom, in SQL."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert

from signaling.adapters.sql.database import Database
from signaling.adapters.sql.gather import Gather
from signaling.adapters.sql.of_users import Asked, OfUsers
from signaling.adapters.sql.tables_moderation import privacies
from signaling.moderation.privacy import Chosen


class SqlPrivacies:
    """See signaling.moderation.privacy.PrivacyStore."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._of: Gather[Asked, dict[str, Chosen]] = Gather(database.read, _find)

    async def put(self, app: str, user: str, chosen: Chosen) -> None:
        """Insert or replace."""

        def op(connection: Connection) -> None:
            _forget(connection, app, user)
            row = {"app": app, "user": user, "presence": chosen.presence}
            connection.execute(insert(privacies).values({**row, "last_seen": chosen.last_seen}))

        await self._database.write(op)

    async def of(self, app: str, users: Sequence[str]) -> dict[str, Chosen]:
        """Of those who chose, gathered with other callers' into one query."""
        return await self._of.submit((app, users))

    async def forget(self, app: str, user: str) -> None:
        """As if they never chose."""
        await self._database.write(lambda connection: _forget(connection, app, user))


def _find(connection: Connection, asked: Sequence[Asked]) -> list[dict[str, Chosen]]:
    return [
        {user: Chosen(presence=row[0], last_seen=row[1]) for user, row in found.items()}
        for found in _CHOSEN.find(connection, asked)
    ]


_CHOSEN = OfUsers(privacies, "presence", "last_seen")


def _forget(connection: Connection, app: str, user: str) -> None:
    here = (privacies.c.app == app) & (privacies.c.user == user)
    connection.execute(delete(privacies).where(here))
