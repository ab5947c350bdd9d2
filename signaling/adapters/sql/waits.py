"""Messages that waited, as the append sees them that sends them."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select

from signaling.adapters.sql.tables_messaging import scheduled
from signaling.model import Draft


def still_waiting(connection: Connection, drafts: Sequence[Draft]) -> set[str]:
    """Those of the waiting messages which the drafts are that nobody called off."""
    names = [draft.scheduled for draft in drafts if draft.scheduled is not None]
    if not names:
        return set()
    return set(connection.scalars(select(scheduled.c.id).where(scheduled.c.id.in_(names))))


def wait_no_more(connection: Connection, names: Sequence[str]) -> None:
    """They are sent."""
    if names:
        connection.execute(delete(scheduled).where(scheduled.c.id.in_(list(names))))
