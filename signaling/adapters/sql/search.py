"""Search in SQL: the index narrows it to one's own texts, the words themselves decide."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, TextClause, select, text

from signaling.adapters.sql.database import Database
from signaling.adapters.sql.grams import place_token, query_tokens, words_of
from signaling.adapters.sql.rows import EVENT, event_of
from signaling.adapters.sql.tables import members
from signaling.adapters.sql.texts import index_texts
from signaling.model import Event

INDEX_BATCH = 200
INDEX_BATCH_BUSY = 50
"""What is sent waits for the writer no longer than this many texts take, some milliseconds."""
INDEX_ROUNDS = 1_000
BUSY_S = 0.002
INDEX_REST = 20
"""Others write when the index has to wait for its turn: then it lies still this many times as long
as it waited. What is sent goes first, and can be found once there is time.
"""
SCAN = 20_000
"""Texts looked at for a query of one or two letters, which have no index, before the page ends."""
PLACES_MAX = 200
"""Conversations named to the index; who is in more looks through all of the app's."""

SQLITE = """
SELECT {columns} FROM texts_fts
CROSS JOIN texts ON texts.position = texts_fts.rowid
CROSS JOIN events ON events.position = texts.position
CROSS JOIN members ON members.conversation = texts.conversation AND members."user" = :user
WHERE texts_fts MATCH :tokens AND texts_fts.rowid < :before AND texts_fts.rowid >= :floor
AND members.app = :app AND members.left_at IS NULL AND events.seq >= members.from_seq {words}
ORDER BY texts_fts.rowid DESC LIMIT :limit OFFSET :offset
"""
"""CROSS JOIN keeps SQLite to this order: from the index, newest first, as far as the page goes."""
POSTGRES = """
SELECT {columns} FROM texts
JOIN events ON events.position = texts.position
JOIN members ON members.conversation = texts.conversation AND members."user" = :user
WHERE texts.tokens @@ CAST(:tokens AS tsquery) AND texts.position < :before
AND texts.position >= :floor
AND members.app = :app AND members.left_at IS NULL AND events.seq >= members.from_seq {words}
ORDER BY texts.position DESC LIMIT :limit OFFSET :offset
"""
SIGNS = {"sqlite": (" AND ", " OR ", "instr"), "postgresql": (" & ", " | ", "strpos")}
"""And, or, and the place of one text in another."""


class Wanted(NamedTuple):
    """What somebody looks for."""

    app: str
    user: str
    query: str
    conversation: str | None
    before: int


class SqlSearch:
    """See ports.Search."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def index(self) -> int:
        """Catch up with the log; how many events were read."""
        total, batch = 0, INDEX_BATCH_BUSY
        for _ in range(INDEX_ROUNDS):
            read, waited_s = await self._turn(batch)
            total += read
            if read < batch:
                break
            busy = waited_s > BUSY_S
            batch = INDEX_BATCH_BUSY if busy else INDEX_BATCH
            if busy:
                await asyncio.sleep(INDEX_REST * waited_s)
        return total

    async def _turn(self, batch: int) -> tuple[int, float]:
        """How many events were read, and for how long the writer had something else to do."""
        asked = time.monotonic()

        def turn(connection: Connection) -> tuple[int, float]:
            waited_s = time.monotonic() - asked
            return index_texts(connection, batch), waited_s

        return await self._database.write(turn)

    async def find(
        self, app: str, user: str, query: str, conversation: str | None, before: int, limit: int
    ) -> tuple[list[Event], int | None]:
        """Newest first, and the position to go on before; None at the end."""
        wanted = Wanted(app, user, query, conversation, before)
        return await self._database.read(lambda c: _find(c, wanted, limit))


def _find(connection: Connection, wanted: Wanted, limit: int) -> tuple[list[Event], int | None]:
    places = _places(connection, wanted)
    if not places:
        return [], None
    words = words_of(wanted.query)
    tokens = query_tokens(wanted.app, words)
    bound = _bound(connection, wanted, tokens, places)
    floor = 0 if tokens else _floor(connection, bound)
    statement = _statement(connection, ", ".join(map(str, EVENT)), len(words))
    said = {f"word{n}": word for n, word in enumerate(words)}
    found = connection.execute(statement, {**bound, **said, "floor": floor, "limit": limit})
    hits = [event_of(row) for row in found]
    if len(hits) == limit:
        return hits, hits[-1].position
    return hits, floor or None


def _places(connection: Connection, wanted: Wanted) -> Sequence[str]:
    """The conversations this user may look in."""
    query = select(members.c.conversation).where(
        members.c.app == wanted.app, members.c.user == wanted.user, members.c.left_at.is_(None)
    )
    if wanted.conversation is not None:
        query = query.where(members.c.conversation == wanted.conversation)
    return connection.execute(query.limit(PLACES_MAX + 1)).scalars().all()


def _bound(
    connection: Connection, wanted: Wanted, tokens: list[str], places: Sequence[str]
) -> dict[str, Any]:
    both, either, _ = SIGNS[connection.dialect.name]
    if len(places) <= PLACES_MAX:
        here = [place_token(wanted.app, place) for place in places]
    else:
        here = [place_token(wanted.app)]
    asked = both.join([*tokens, f"({either.join(here)})"])
    return {
        "app": wanted.app,
        "user": wanted.user,
        "before": wanted.before,
        "tokens": asked,
        "offset": 0,
    }


def _floor(connection: Connection, bound: dict[str, Any]) -> int:
    """Where a look at each text ends; 0 when all are looked at."""
    statement = _statement(connection, "texts.position", 0)
    last = {**bound, "floor": 0, "limit": 1, "offset": SCAN - 1}
    return connection.execute(statement, last).scalar() or 0


def _statement(connection: Connection, columns: str, words: int) -> TextClause:
    dialect = connection.dialect.name
    place = SIGNS[dialect][2]
    matched = "".join(f" AND {place}(texts.text, :word{n}) > 0" for n in range(words))
    template = SQLITE if dialect == "sqlite" else POSTGRES
    return text(template.format(columns=columns, words=matched))
