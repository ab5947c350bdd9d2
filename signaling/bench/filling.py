"""A database as years of use leave it: written into the file of a server that is stopped."""

import sqlite3
from dataclasses import dataclass

from signaling.bench.house import House

USER = "h0"
"""The member of every conversation that is made here."""
BATCH = 50_000

EVENTS = """
WITH RECURSIVE n(i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1 + ?2)
INSERT INTO events (position, conversation, seq, app, id, type, sender, at, nth, data)
SELECT ?3 + i, ?6 || (i % ?4), i / ?4 + 1, ?5, 'e_' || ?6 || i, 'message:created', 'h0',
    1700000000000 + i, i / ?4 + 1,
    '{"client_id":"' || i || '","kind":"text","body":{"text":"event number ' || i || '"}}'
FROM n
"""
CONVERSATION = """
INSERT INTO conversations (id, app, type, open, created_at, created_by, head, messages, position,
    member_count, settings)
VALUES (?, ?, 'group', 0, 0, 'h0', ?, ?, ?, ?, '{}')
"""
MEMBER = """
INSERT INTO members (conversation, "user", app, role, joined_at, from_seq, left_seq, delivered,
    read, moved, sent_at, preferences)
VALUES (?, ?, ?, 'member', 0, 0, 0, 0, 0, 0, 0, '{}')
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """So many conversations alike, named `<prefix><number>`."""

    prefix: str
    conversations: int = 1
    events: int = 0
    """In all of them together: a multiple of `conversations`."""
    members: int = 1


def fill(house: House, app: str, fillings: list[Filling]) -> None:
    """Write them into the file of a stopped server."""
    database = sqlite3.connect(house.directory / "tokenim.db")
    database.execute("PRAGMA synchronous=OFF")
    for filling in fillings:
        _fill(database, app, filling)
    (end,) = database.execute("SELECT last FROM positions").fetchone()
    # What reads the log in the background has long read these.
    for readers in ("readers", "outbox_readers"):
        database.execute(f"UPDATE {readers} SET position = ?", (end,))  # noqa: S608  ours
    database.commit()
    database.close()


def _fill(database: sqlite3.Connection, app: str, filling: Filling) -> None:
    (position,) = database.execute("SELECT last FROM positions").fetchone()
    prefix, number = filling.prefix, filling.conversations
    for start in range(0, filling.events, BATCH):
        count = min(BATCH, filling.events - start)
        database.execute(EVENTS, (start, count, position + 1, number, app, prefix))
        database.commit()
    each = filling.events // number
    for n in range(number):
        name = f"{prefix}{n}"
        last = position + 1 + filling.events - number + n if filling.events else position
        values = (name, app, each, each, last, filling.members)
        database.execute(CONVERSATION, values)
        database.execute(MEMBER, (name, USER, app))
        others = [(name, f"m{m}", app) for m in range(1, filling.members)]
        database.executemany(MEMBER, others)
    database.execute("UPDATE positions SET last = ?", (position + filling.events + 1,))
    database.commit()
