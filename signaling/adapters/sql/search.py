"""Search in SQL: trigrams from three characters on, a bounded scan of one's own texts below."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, column, literal_column, select, table

from signaling.adapters.sql.database import Database
from signaling.adapters.sql.rows import EVENT, event_of
from signaling.adapters.sql.tables import events, members
from signaling.adapters.sql.tables_messaging import texts
from signaling.adapters.sql.texts import index_texts
from signaling.model import Event

INDEX_BATCH = 1_000
INDEX_ROUNDS = 50
SCAN = 20_000
"""Texts looked at for a query too short for trigrams, before the page ends."""

_fts = table("texts_fts", column("rowid"), column("text"))


class SqlSearch:
    """See ports.Search."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def index(self) -> int:
        """Catch up with the log; how many events were read."""
        total = 0
        for _ in range(INDEX_ROUNDS):
            read = await self._database.write(lambda c: index_texts(c, INDEX_BATCH))
            total += read
            if read < INDEX_BATCH:
                break
        return total

    async def find(
        self, app: str, user: str, query: str, conversation: str | None, before: int, limit: int
    ) -> tuple[list[Event], int | None]:
        """Newest first, and the position to go on before; None at the end."""
        mine = _mine(app, user, conversation, before)
        return await self._database.read(lambda c: _find(c, mine, query, limit))


def _mine(app: str, user: str, conversation: str | None, before: int) -> Select[Any]:
    """Texts this user may see."""
    joined = texts.join(events, events.c.position == texts.c.position).join(
        members, members.c.conversation == texts.c.conversation
    )
    query = (
        select(*EVENT)
        .select_from(joined)
        .where(
            members.c.app == app,
            members.c.user == user,
            members.c.left_at.is_(None),
            events.c.seq >= members.c.from_seq,
            texts.c.position < before,
        )
    )
    if conversation is not None:
        query = query.where(texts.c.conversation == conversation)
    return query


def _find(
    connection: Connection, mine: Select[Any], query: str, limit: int
) -> tuple[list[Event], int | None]:
    newest = mine.order_by(texts.c.position.desc())
    if connection.dialect.name == "sqlite" and len(query) < 3:
        return _scan(connection, newest, query, limit)
    found = connection.execute(newest.where(_matches(connection, query)).limit(limit))
    hits = [event_of(row) for row in found]
    return hits, hits[-1].position if len(hits) == limit else None


def _matches(connection: Connection, query: str) -> ColumnElement[bool]:
    if connection.dialect.name != "sqlite":
        return texts.c.text.icontains(query, autoescape=True)
    quoted = '"' + query.replace('"', '""') + '"'
    matching = select(_fts.c.rowid).where(literal_column("texts_fts").op("MATCH")(quoted))
    return texts.c.position.in_(matching)


def _scan(
    connection: Connection, newest: Select[Any], query: str, limit: int
) -> tuple[list[Event], int | None]:
    wanted, seen, hits = query.casefold(), 0, []
    rows = connection.execute(newest.add_columns(texts.c.text).limit(SCAN))
    position: int | None = None
    for row in rows:
        seen, position = seen + 1, row[len(EVENT) - 1]
        if wanted in row[-1].casefold():
            hits.append(event_of(row[:-1]))
            if len(hits) == limit:
                break
    rows.close()
    return hits, position if len(hits) == limit or seen == SCAN else None
