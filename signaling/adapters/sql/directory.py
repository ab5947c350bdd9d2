"""Lists of an app's users and conversations, for its own server."""

from sqlalchemy import func, or_, select, tuple_

from signaling.adapters.sql.database import Database
from signaling.adapters.sql.rows import CONVERSATION, conversation_of
from signaling.adapters.sql.tables import conversations, devices, users
from signaling.model import Conversation, User


class SqlDirectory:
    """See http.people.Directory."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def users(self, app: str, text: str, after: str, limit: int) -> list[User]:
        """By id, those after one; `text` is found in ids and names."""
        query = select(users).where(users.c.app == app, users.c.id > after)
        if text:
            query = query.where(
                or_(
                    users.c.id.icontains(text, autoescape=True),
                    users.c.name.icontains(text, autoescape=True),
                )
            )
        query = query.order_by(users.c.id).limit(limit)
        found = await self._database.read(lambda c: c.execute(query).all())
        return [User(**row._mapping) for row in found]

    async def user(self, app: str, user: str) -> tuple[User, int] | None:
        """One, and how many devices."""
        person = select(users).where(users.c.app == app, users.c.id == user)
        count = select(func.count()).where(devices.c.app == app, devices.c.user == user)
        row, many = await self._database.read(
            lambda c: (c.execute(person).first(), int(c.scalar(count) or 0))
        )
        return None if row is None else (User(**row._mapping), many)

    async def conversations(
        self, app: str, text: str, before: tuple[int, str] | None, limit: int
    ) -> list[Conversation]:
        """The latest active first; `text` is found in titles, aliases and ids."""
        table = conversations.c
        query = select(*CONVERSATION).where(table.app == app)
        if text:
            query = query.where(
                or_(
                    *(
                        column.icontains(text, autoescape=True)
                        for column in (table.title, table.alias, table.id)
                    )
                )
            )
        if before is not None:
            query = query.where(tuple_(table.position, table.id) < before)
        query = query.order_by(table.position.desc(), table.id.desc()).limit(limit)
        found = await self._database.read(lambda c: c.execute(query).all())
        return [conversation_of(row) for row in found]
