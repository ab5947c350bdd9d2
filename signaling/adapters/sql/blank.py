"""Empty a message for good: its body, what edits kept of it, what the search index has, its pin."""

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, select, update

from signaling.adapters.sql.append import replace_data
from signaling.adapters.sql.decide import redact
from signaling.adapters.sql.rows import json_dict, json_text
from signaling.adapters.sql.tables import conversations, events
from signaling.adapters.sql.texts import change_text
from signaling.model import Event


def blank(connection: Connection, event: Event, drop: Iterable[str] = (), **marks: Any) -> None:
    """Its place in the log stays; `marks` say what happened, the fields `drop` go too."""
    gone = {*drop, "pinned"}
    data = {name: value for name, value in event.data.items() if name not in gone}
    emptied = replace(event, data={**data, "body": None, **marks})
    replace_data(connection, emptied)
    change_text(connection, emptied)
    redact(connection, event.conversation, event.data.get("edits", ()))
    if event.data.get("pinned"):
        _unpin(connection, event)
    done = update(events).where(events.c.position == event.position)
    connection.execute(done.values(expires_at=None))


def _unpin(connection: Connection, event: Event) -> None:
    here = conversations.c.id == event.conversation
    text = connection.execute(select(conversations.c.settings).where(here)).scalar_one()
    settings = json_dict(text)
    pins = [seq for seq in settings.get("pins", ()) if seq != event.seq]
    changed = json_text({**settings, "pins": pins})
    connection.execute(update(conversations).where(here).values(settings=changed))
