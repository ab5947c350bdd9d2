"""The searchable text of messages, kept in step with the log."""

from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from signaling.adapters.sql.pending import MESSAGE
from signaling.adapters.sql.rows import EVENT, event_of
from signaling.adapters.sql.tables import events
from signaling.adapters.sql.tables_messaging import readers, texts
from signaling.model import Event

READER = "search"


def text_of(data: dict[str, Any]) -> str | None:
    """What of a message can be searched: its text, or a file's name."""
    body = data.get("body")
    if not isinstance(body, dict):
        return None
    found = body.get("text") or body.get("name")
    return found if isinstance(found, str) else None


def change_text(connection: Connection, event: Event) -> None:
    """After a message changed: one that is not indexed yet will be read as it is now."""
    here = texts.c.position == event.position
    text = text_of(event.data)
    if text is None:
        connection.execute(delete(texts).where(here))
    else:
        connection.execute(update(texts).where(here).values(text=text))


def index_texts(connection: Connection, limit: int) -> int:
    """Read on in the log; how many events were read."""
    reached = connection.execute(select(readers.c.position).where(readers.c.name == READER))
    position = reached.scalar()
    if position is None:
        position = 0
        connection.execute(insert(readers).values(name=READER, position=0))
    query = select(*EVENT).where(events.c.position > position)
    found = [
        event_of(row) for row in connection.execute(query.order_by(events.c.position).limit(limit))
    ]
    rows = [
        {"position": event.position, "conversation": event.conversation, "text": text}
        for event in found
        if event.type == MESSAGE and (text := text_of(event.data)) is not None
    ]
    if rows:
        connection.execute(insert(texts), rows)
    if found:
        at_end = update(readers).where(readers.c.name == READER)
        connection.execute(at_end.values(position=found[-1].position))
    return len(found)
