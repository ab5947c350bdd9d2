"""What client_ids were used for, for ever.

A commit of SQLite writes whole pages: about one for each client_id, scattered as they are over a
large table. So the newest are kept in a small one, and every SETTLE positions of the log they move
to the large one, in its order. PostgreSQL writes rows; there only the large one is used.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    Connection,
    FromClause,
    Select,
    Subquery,
    Table,
    delete,
    insert,
    select,
    union_all,
)

from signaling.adapters.sql.many import INT, TEXT, Many, Statement, inserting
from signaling.adapters.sql.tables import recent_sends, sends
from signaling.errors import Refused
from signaling.model import Draft

SETTLE: Final = 512

SendKey = tuple[str, str, str]


class Sent(NamedTuple):
    """What a client_id was used for."""

    fingerprint: str
    conversation: str
    seq: int


def find_sent(connection: Connection, drafts: Sequence[Draft]) -> dict[SendKey, Sent]:
    """Which of the drafts' client_ids have been used."""
    keys = [
        {"app": draft.app, "sender": draft.sender, "client_id": draft.client_id}
        for draft in drafts
        if draft.client_id is not None
    ]
    return {(row[0], row[1], row[2]): Sent(*row[3:]) for row in _found(connection, keys)}


def is_used(connection: Connection, app: str, sender: str, client_id: str) -> bool:
    """Whether it was used for anything."""
    key = {"app": app, "sender": sender, "client_id": client_id}
    return bool(_found(connection, [key]))


def _found(connection: Connection, keys: Sequence[Mapping[str, Any]]) -> list[Sequence[Any]]:
    if not keys:
        return []
    return [row for place in _places(connection) for row in place.find.execute(connection, keys)]


def same_send(sent: Mapping[SendKey, Sent], draft: Draft) -> Sent | None:
    """What this draft's client_id was used for, if for the same; raises Refused conflict if not."""
    if draft.client_id is None:
        return None
    earlier = sent.get((draft.app, draft.sender, draft.client_id))
    if earlier is None:
        return None
    if earlier.fingerprint != draft.fingerprint:
        raise Refused("conflict", "this client_id was used for something else")
    return earlier


def keep_sent(
    connection: Connection, rows: Sequence[Mapping[str, Any]], before: int, position: int
) -> None:
    """Write down what the events after `before`, up to `position`, have used."""
    places = _places(connection)
    if rows:
        places[0].keep.execute(connection, rows)
    if len(places) > 1 and before // SETTLE != position // SETTLE:
        _settle(connection)


def _settle(connection: Connection) -> None:
    """Move the newest to where they stay."""
    recent = recent_sends.c
    ordered = select(recent_sends).order_by(recent.app, recent.sender, recent.client_id)
    connection.execute(insert(sends).from_select(sends.c.keys(), ordered))
    connection.execute(delete(recent_sends))


def used_by(app: str, sender: str, after: str, limit: int) -> Subquery:
    """The first client_ids of a sender behind one of them, of both tables, and their places."""
    parts = [_used(table, app, sender, after).limit(limit) for table in (sends, recent_sends)]
    return union_all(*(select(part.subquery()) for part in parts)).subquery("used")


def _used(table: Table, app: str, sender: str, after: str) -> Select[Any]:
    here = table.c
    query = select(here.client_id, here.conversation, here.seq)
    query = query.where(here.app == app, here.sender == sender, here.client_id > after)
    return query.order_by(here.client_id)


class _Place:
    """A table of them."""

    def __init__(self, table: Table) -> None:
        key = dict.fromkeys(("app", "sender", "client_id"), TEXT)
        row = {**key, "fingerprint": TEXT, "conversation": TEXT, "seq": INT}
        self._table = table
        self.find = Many(key, self._find)
        self.keep = Many(row, inserting(table))

    def _find(self, key: FromClause) -> Statement:
        kept, given = self._table.c, key.c
        same = (
            (kept.app == given.app)
            & (kept.sender == given.sender)
            & (kept.client_id == given.client_id)
        )
        columns = (kept.app, kept.sender, kept.client_id, *(kept[name] for name in Sent._fields))
        return select(*columns).select_from(key.join(self._table, same))


_RECENT, _LASTING = _Place(recent_sends), _Place(sends)


def _places(connection: Connection) -> tuple[_Place, ...]:
    """The first is where they are kept at first."""
    return (_RECENT, _LASTING) if connection.dialect.name == "sqlite" else (_LASTING,)
