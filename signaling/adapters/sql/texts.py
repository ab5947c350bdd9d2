"""The searchable text of messages, kept in step with the log.

SQLite keeps the tokens of texts in the FTS5 table `texts_fts`, PostgreSQL in the tsvector column
`texts.tokens`. FTS5 keeps no copy of them, so taking one out means making them again.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import msgspec
from sqlalchemy import (
    Connection,
    bindparam,
    case,
    column,
    delete,
    insert,
    select,
    table,
    text,
    update,
)

from signaling.adapters.sql.driver import run
from signaling.adapters.sql.grams import folded, text_tokens
from signaling.adapters.sql.many import INT, TEXT, Many, inserting
from signaling.adapters.sql.pending import MESSAGE
from signaling.adapters.sql.rows import json_dict
from signaling.adapters.sql.tables import events
from signaling.adapters.sql.tables_messaging import readers, texts
from signaling.model import Event

READER = "search"

_Row: TypeAlias = tuple[int, str, str, str | None]
"""Position, app, conversation, and the data of a message."""

_TAKE_OUT = text(
    "INSERT INTO texts_fts (texts_fts, rowid, tokens) VALUES ('delete', :position, :tokens)"
)
_POSTGRES = text(
    "UPDATE texts SET tokens = array_to_tsvector(CAST(:tokens AS text[]))"
    " WHERE position = :position"
)


class Indexed(NamedTuple):
    """One text, folded."""

    position: int
    app: str
    conversation: str
    text: str

    def tokens(self) -> list[str]:
        """See grams."""
        return text_tokens(self.app, self.conversation, self.text)


def text_of(data: dict[str, Any]) -> str | None:
    """What of a message can be searched: its text, or a file's name."""
    body = data.get("body")
    if not isinstance(body, dict):
        return None
    found = body.get("text") or body.get("name")
    return folded(found) if isinstance(found, str) else None


def change_text(connection: Connection, event: Event) -> None:
    """After a message changed: one that is not indexed yet will be read as it is now."""
    if event.position > (_reached(connection) or 0):
        return
    here = events.c.position == event.position
    joined = events.outerjoin(texts, texts.c.position == events.c.position)
    query = select(events.c.app, texts.c.text).select_from(joined).where(here)
    app, known = connection.execute(query).one()
    if known is not None:
        _take_out(connection, Indexed(event.position, app, event.conversation, known))
    now = text_of(event.data)
    if now is not None:
        add_texts(connection, [Indexed(event.position, app, event.conversation, now)])


def add_texts(connection: Connection, added: list[Indexed]) -> None:
    """Keep them, and what they are found by."""
    _TEXTS.give(connection, [(one.position, one.conversation, one.text) for one in added])
    add_tokens(connection, added)


def add_tokens(connection: Connection, added: list[Indexed]) -> None:
    """For texts that are kept already."""
    if connection.dialect.name == "sqlite":
        _TOKENS.give(connection, [(one.position, " ".join(one.tokens())) for one in added])
        return
    values = [{"position": one.position, "tokens": one.tokens()} for one in added]
    connection.execute(_POSTGRES, values)


def _take_out(connection: Connection, known: Indexed) -> None:
    if connection.dialect.name == "sqlite":
        gone = {"position": known.position, "tokens": " ".join(known.tokens())}
        connection.execute(_TAKE_OUT, gone)
    connection.execute(delete(texts).where(texts.c.position == known.position))


def _reached(connection: Connection) -> int | None:
    return connection.scalar(_REACHED)


def index_texts(connection: Connection, limit: int) -> int:
    """Read on in the log; how many events were read."""
    reached = _reached(connection)
    if reached is None:
        connection.execute(insert(readers).values(name=READER, position=0))
    read = _read_on(connection, reached or 0, limit)
    added = [
        Indexed(position, app, conversation, said)
        for position, app, conversation, data in read
        if data is not None and (said := text_of(json_dict(data))) is not None
    ]
    if added:
        add_texts(connection, added)
    if read:
        connection.execute(_READ, {"at": read[-1][0]})
    return len(read)


def _read_on(connection: Connection, position: int, limit: int) -> Sequence[_Row]:
    """What follows: all of it in one row where each row would hand Python's lock away."""
    if connection.dialect.name == "sqlite":
        [[found]] = run(connection, _PIECE_SQLITE, (MESSAGE, position, limit))
        return _decode(found)
    found = connection.execute(_PIECE, {"position": position, "limit": limit}).all()
    return [tuple(row) for row in found]


_REACHED = select(readers.c.position).where(readers.c.name == READER)
_READ = update(readers).where(readers.c.name == READER).values(position=bindparam("at"))
_fts = table("texts_fts", column("rowid"), column("tokens"))
_TEXTS = Many({"position": INT, "conversation": TEXT, "text": TEXT}, inserting(texts))
_TOKENS = Many({"rowid": INT, "tokens": TEXT}, inserting(_fts))
_decode = msgspec.json.Decoder(list[_Row]).decode
_PIECE = (
    select(
        events.c.position,
        events.c.app,
        events.c.conversation,
        case((events.c.type == MESSAGE, events.c.data)).label("data"),
    )
    .where(events.c.position > bindparam("position"))
    .order_by(events.c.position)
    .limit(bindparam("limit"))
)
_PIECE_SQLITE = (
    "SELECT json_group_array(json_array(position, app, conversation,"
    " CASE WHEN type = ? THEN data END))"
    " FROM (SELECT position, app, conversation, type, data FROM events"
    " WHERE position > ? ORDER BY position LIMIT ?)"
)
