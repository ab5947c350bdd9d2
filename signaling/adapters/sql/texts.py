"""The searchable text of messages, kept in step with the log.

SQLite keeps the tokens of texts in the FTS5 table `texts_fts`, PostgreSQL in the tsvector column
`texts.tokens`. FTS5 keeps no copy of them, so taking one out means making them again.
"""

from typing import Any, NamedTuple

from sqlalchemy import Connection, TextClause, delete, insert, select, text, update

from signaling.adapters.sql.grams import folded, text_tokens
from signaling.adapters.sql.pending import MESSAGE
from signaling.adapters.sql.rows import EVENT, event_of
from signaling.adapters.sql.tables import events
from signaling.adapters.sql.tables_messaging import readers, texts
from signaling.model import Event

READER = "search"

_ADD = text("INSERT INTO texts_fts (rowid, tokens) VALUES (:position, :tokens)")
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
    values = [
        {"position": a.position, "conversation": a.conversation, "text": a.text} for a in added
    ]
    connection.execute(insert(texts), values)
    add_tokens(connection, added)


def add_tokens(connection: Connection, added: list[Indexed]) -> None:
    """For texts that are kept already."""
    if connection.dialect.name == "sqlite":
        _each(connection, _ADD, added)
        return
    values = [{"position": one.position, "tokens": one.tokens()} for one in added]
    connection.execute(_POSTGRES, values)


def _take_out(connection: Connection, known: Indexed) -> None:
    if connection.dialect.name == "sqlite":
        _each(connection, _TAKE_OUT, [known])
    connection.execute(delete(texts).where(texts.c.position == known.position))


def _each(connection: Connection, statement: TextClause, items: list[Indexed]) -> None:
    values = [{"position": one.position, "tokens": " ".join(one.tokens())} for one in items]
    connection.execute(statement, values)


def _reached(connection: Connection) -> int | None:
    return connection.scalar(select(readers.c.position).where(readers.c.name == READER))


def index_texts(connection: Connection, limit: int) -> int:
    """Read on in the log; how many events were read."""
    position = _reached(connection)
    if position is None:
        connection.execute(insert(readers).values(name=READER, position=0))
    query = select(*EVENT, events.c.app).where(events.c.position > (position or 0))
    found = connection.execute(query.order_by(events.c.position).limit(limit)).all()
    read = [(event_of(row[:-1]), row[-1]) for row in found]
    added = [
        Indexed(event.position, app, event.conversation, said)
        for event, app in read
        if event.type == MESSAGE and (said := text_of(event.data)) is not None
    ]
    if added:
        add_texts(connection, added)
    if read:
        at_end = update(readers).where(readers.c.name == READER)
        connection.execute(at_end.values(position=read[-1][0].position))
    return len(read)
