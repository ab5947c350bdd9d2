"""What client_ids were used for, for ever.

A commit of SQLite writes whole pages: about one for each client_id, scattered as they are over a
large table. So the newest are kept in a small one in the order they came in, which whoever looks
them up has in memory, and every SETTLE positions of the log they move to the large one, in its
order. PostgreSQL writes rows; there only the large one is used.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ClauseElement,
    Connection,
    FromClause,
    Select,
    Subquery,
    Table,
    bindparam,
    delete,
    insert,
    select,
    union_all,
)
from sqlalchemy.dialects import sqlite

from signaling.adapters.sql.driver import run
from signaling.adapters.sql.many import INT, TEXT, Many, Statement, inserting
from signaling.adapters.sql.positions import last_position
from signaling.adapters.sql.tables import recent_sends, sends
from signaling.errors import Refused
from signaling.model import Draft

SETTLE: Final = 512
KNOWN_MAX: Final = 8 * SETTLE
"""Kept in memory at most, should another process always be the one that moves them."""
_KNOWN: Final = "recent_sends"

SendKey = tuple[str, str, str]


class Sent(NamedTuple):
    """What a client_id was used for."""

    fingerprint: str
    conversation: str
    seq: int


def find_sent(connection: Connection, drafts: Iterable[Draft]) -> dict[SendKey, Sent]:
    """Which of the drafts' client_ids have been used."""
    return _found(connection, [_key(draft) for draft in drafts if draft.client_id is not None])


def is_used(connection: Connection, app: str, sender: str, client_id: str) -> bool:
    """Whether it was used for anything."""
    return bool(_found(connection, [(app, sender, client_id)]))


def _key(draft: Draft) -> SendKey:
    return draft.app, draft.sender, draft.client_id or ""


def _found(connection: Connection, keys: Sequence[SendKey]) -> dict[SendKey, Sent]:
    if not keys:
        return {}
    recent = _recent_of(connection)
    found = {key: recent[key] for key in keys if key in recent}
    asked = [key for key in keys if key not in found] if found else keys
    for row in _LASTING.give(connection, asked) if asked else ():
        found[(row[0], row[1], row[2])] = Sent(*row[3:])
    return found


def same_send(sent: Mapping[SendKey, Sent], draft: Draft) -> Sent | None:
    """What this draft's client_id was used for, if for the same; raises Refused conflict if not."""
    if draft.client_id is None:
        return None
    earlier = sent.get(_key(draft))
    if earlier is None:
        return None
    if earlier.fingerprint != draft.fingerprint:
        raise Refused("conflict", "this client_id was used for something else")
    return earlier


def keep_sent(
    connection: Connection, rows: Sequence[tuple[Any, ...]], before: int, position: int
) -> None:
    """Write down what the events after `before`, up to `position`, have used: in each row the
    position, then the columns of `sends`.
    """
    if connection.dialect.name != "sqlite":
        if rows:
            _KEEP_LASTING.give(connection, [row[1:] for row in rows])
        return
    if rows:
        _KEEP_RECENT.give(connection, rows)
    known: _Recent | None = connection.info.get(_KNOWN)
    if known is not None and known.position == before:
        known.add(rows, position)
    if before // SETTLE != position // SETTLE:
        _settle(connection)


class _Recent:
    """Those of the events up to `position` that no table but the small one may have."""

    def __init__(self) -> None:
        self.sent: dict[SendKey, Sent] = {}
        self.position = 0

    def add(self, rows: Iterable[Sequence[Any]], position: int) -> None:
        for _, app, sender, client_id, *used in rows:
            self.sent[(app, sender, client_id)] = Sent(*used)
        self.position = position


def _recent_of(connection: Connection) -> Mapping[SendKey, Sent]:
    """The newest, read on from where this connection knows them. Nobody takes one back, so what
    was read stays true, and what was moved meanwhile is only known twice.
    """
    if connection.dialect.name != "sqlite":
        return {}
    last = last_position(connection)
    known: _Recent = connection.info.setdefault(_KNOWN, _Recent())
    if known.position != last:
        if len(known.sent) > KNOWN_MAX:
            known = connection.info[_KNOWN] = _Recent()
        known.add(run(connection, _READ_ON, (known.position,)), last)
    return known.sent


def _settle(connection: Connection) -> None:
    """Move the newest to where they stay."""
    run(connection, _MOVE)
    run(connection, _FORGET)
    connection.info.pop(_KNOWN, None)


def used_by(app: str, sender: str, after: str, limit: int) -> Subquery:
    """The first client_ids of a sender behind one of them, of both tables, and their places."""
    parts = [_used(table, app, sender, after).limit(limit) for table in (sends, recent_sends)]
    return union_all(*(select(part.subquery()) for part in parts)).subquery("used")


def _used(table: Table, app: str, sender: str, after: str) -> Select[Any]:
    here = table.c
    query = select(here.client_id, here.conversation, here.seq)
    query = query.where(here.app == app, here.sender == sender, here.client_id > after)
    return query.order_by(here.client_id)


def _find_lasting(key: FromClause) -> Statement:
    kept, given = sends.c, key.c
    same = (
        (kept.app == given.app)
        & (kept.sender == given.sender)
        & (kept.client_id == given.client_id)
    )
    return select(*kept).select_from(key.join(sends, same))


def _sqlite(statement: ClauseElement) -> str:
    return str(statement.compile(dialect=sqlite.dialect()))


_KEY = dict.fromkeys(("app", "sender", "client_id"), TEXT)
_ROW = {**_KEY, "fingerprint": TEXT, "conversation": TEXT, "seq": INT}
_LASTING = Many(_KEY, _find_lasting)
_KEEP_LASTING = Many(_ROW, inserting(sends))
_KEEP_RECENT = Many({"position": INT, **_ROW}, inserting(recent_sends))
_recent = recent_sends.c
_MOVED = select(*(_recent[name] for name in _ROW))
_MOVE = _sqlite(
    insert(sends).from_select(
        list(_ROW), _MOVED.order_by(_recent.app, _recent.sender, _recent.client_id)
    )
)
_FORGET = _sqlite(delete(recent_sends))
_READ_ON = _sqlite(select(recent_sends).where(_recent.position > bindparam("position")))
