"""Empty a message for good: its body, what edits kept of it, and what the search index has."""

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, update

from signaling.adapters.sql.append import replace_data
from signaling.adapters.sql.decide import redact
from signaling.adapters.sql.tables import events
from signaling.adapters.sql.texts import change_text
from signaling.model import Event


def blank(connection: Connection, event: Event, drop: Iterable[str] = (), **marks: Any) -> None:
    """Its place in the log stays; `marks` say what happened, the fields `drop` go too."""
    data = {name: value for name, value in event.data.items() if name not in set(drop)}
    emptied = replace(event, data={**data, "body": None, **marks})
    replace_data(connection, emptied)
    change_text(connection, emptied)
    redact(connection, event.conversation, event.data.get("edits", ()))
    done = update(events).where(events.c.position == event.position)
    connection.execute(done.values(expires_at=None))
