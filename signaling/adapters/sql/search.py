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

INDEX_BATCH = 50
"""What is sent waits for the writer no longer than this many texts take, about a millisecond."""
INDEX_BATCH_BUSY = 16
INDEX_ROUNDS = 1_000
BUSY_S = 0.002
INDEX_REST = 50
"""Others write when the index has to wait for its turn: then it lies still this many times as long
as it waited. What is sent goes first, and can be found once there is time.
"""
SCAN = 20_000
"""Texts that a page looks at, where the index cannot tell hits from others: words of one or two
letters have no pieces in it.
"""
PLACES_MAX = 200
"""Conversations named to the index; who is in more looks through all of the app's."""

SQLITE = """
SELECT {columns} FROM texts_fts
CROSS JOIN texts ON texts.position = texts_fts.rowid
CROSS JOIN events ON events.position = texts.position
CROSS JOIN members ON members.conversation = texts.conversation AND members."user" = :user
WHERE {near} AND texts_fts.rowid < :before AND texts_fts.rowid >= :floor
AND members.app = :app AND members.left_at IS NULL AND events.seq >= members.from_seq {words}
ORDER BY texts_fts.rowid DESC LIMIT :limit
"""
"""CROSS JOIN keeps SQLite to this order: from the index, newest first, as far as the page goes."""
POSTGRES = """
SELECT {columns} FROM texts
JOIN events ON events.position = texts.position
JOIN members ON members.conversation = texts.conversation AND members."user" = :user
WHERE {near} AND texts.position < :before AND texts.position >= :floor
AND members.app = :app AND members.left_at IS NULL AND events.seq >= members.from_seq {words}
ORDER BY texts.position DESC LIMIT :limit
"""
CUSTOM = "SET LOCAL plan_cache_mode = force_custom_plan"
"""How PostgreSQL goes about it depends on the words, so no plan is right for all of them."""
FLOORS = {
    "sqlite": "SELECT rowid FROM texts_fts WHERE {near} AND rowid < :before"
    " ORDER BY rowid DESC LIMIT 1 OFFSET :scan",
    "postgresql": "SELECT position FROM texts WHERE {near} AND position < :before"
    " ORDER BY position DESC LIMIT 1 OFFSET :scan",
}
PLACES = {"sqlite": "instr", "postgresql": "strpos"}
"""The place of one text in another."""


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
    if connection.dialect.name == "postgresql":
        connection.execute(text(CUSTOM))
    words = words_of(wanted.query)
    near, bound = _near(connection, wanted, words, places)
    loose = len(places) > PLACES_MAX or not all(query_tokens(wanted.app, [w]) for w in words)
    floor = _floor(connection, near, bound) if loose else 0
    statement = _statement(connection, near, ", ".join(map(str, EVENT)), len(words))
    who = {"app": wanted.app, "user": wanted.user, "floor": floor, "limit": limit}
    said = {f"word{n}": word for n, word in enumerate(words)}
    hits = [event_of(row) for row in connection.execute(statement, {**bound, **said, **who})]
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


def _near(
    connection: Connection, wanted: Wanted, words: list[str], places: Sequence[str]
) -> tuple[str, dict[str, Any]]:
    """What the indexes know of the texts wanted: a condition, and what is bound in it."""
    few, tokens = len(places) <= PLACES_MAX, query_tokens(wanted.app, words)
    bound: dict[str, Any] = {"before": wanted.before}
    if connection.dialect.name == "sqlite":
        here = [place_token(wanted.app, place) for place in (places if few else ("",))]
        asked = " AND ".join([*tokens, f"({' OR '.join(here)})"])
        return "texts_fts MATCH :tokens", {**bound, "tokens": asked}
    conditions = []
    if few:
        conditions.append("texts.conversation = ANY(CAST(:places AS varchar[]))")
        bound["places"] = list(places)
    elif not tokens:
        tokens = [place_token(wanted.app)]
    if tokens:
        conditions.append("texts.tokens @@ CAST(:tokens AS tsquery)")
        bound["tokens"] = " & ".join(tokens)
    return " AND ".join(conditions), bound


def _floor(connection: Connection, near: str, bound: dict[str, Any]) -> int:
    """Where the look at what the indexes give ends; 0 when all of it is looked at."""
    statement = FLOORS[connection.dialect.name].format(near=near)
    return connection.execute(text(statement), {**bound, "scan": SCAN - 1}).scalar() or 0


def _statement(connection: Connection, near: str, columns: str, words: int) -> TextClause:
    dialect = connection.dialect.name
    place = PLACES[dialect]
    matched = "".join(f" AND {place}(texts.text, :word{n}) > 0" for n in range(words))
    template = SQLITE if dialect == "sqlite" else POSTGRES
    return text(template.format(near=near, columns=columns, words=matched))
