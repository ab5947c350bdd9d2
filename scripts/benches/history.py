"""A log of many events: how long a page of history takes, and the start of the server."""

import asyncio
import sqlite3
import time
from typing import Any

from scripts.benches.house import House
from scripts.benches.wire import Client, token

CONVERSATIONS = 1_000
PAGES = 300
BATCH = 50_000

FILL = """
WITH RECURSIVE n(i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1 + ?2)
INSERT INTO events (position, conversation, seq, app, id, type, sender, at, nth, data)
SELECT ?3 + i, 'c_bench_' || (i % ?4), i / ?4 + 1, ?5, 'e_' || i, 'message:created', 'h0',
    1700000000000 + i, i / ?4 + 1,
    '{"client_id":"' || i || '","kind":"text","body":{"text":"event number ' || i || '"}}'
FROM n
"""


async def history(house: House, events: int) -> dict[str, Any]:
    """Fill the stopped server's file, start it, and page at random through one user's log."""
    client = await Client.connect(house.url, _auth(house), lambda *_: None)
    app = client.ready.result()["app"]
    client.close()
    assert house.process is not None
    house.process.terminate()
    house.process.wait(20)
    filling = time.perf_counter()
    await asyncio.to_thread(_fill, house, app, events)
    filled_s = time.perf_counter() - filling
    started_s = house.start()
    client = await Client.connect(house.url, _auth(house), lambda *_: None)
    each = events // CONVERSATIONS
    waits = []
    for n in range(PAGES):
        before = (n * 7919) % each + 50
        began = time.perf_counter()
        name = f"c_bench_{(n * 31) % CONVERSATIONS}"
        request = {"conversation": name, "before": before, "limit": 50}
        answer = await client.request("history:get", request)
        waits.append(time.perf_counter() - began)
        assert answer["events"]
    client.close()
    waits.sort()
    return {
        "events": events,
        "fill_s": round(filled_s, 1),
        "start_s": round(started_s, 2),
        "page_ms_p50": round(waits[len(waits) // 2] * 1e3, 2),
        "page_ms_p99": round(waits[int(len(waits) * 0.99)] * 1e3, 2),
    }


def _auth(house: House) -> dict[str, str]:
    return {"token": token(house.url, "h0"), "device": "bench"}


def _fill(house: House, app: str, events: int) -> None:
    database = sqlite3.connect(house.directory / "tokenim.db")
    database.execute("PRAGMA synchronous=OFF")
    (position,) = database.execute("SELECT last FROM positions").fetchone()
    for start in range(0, events, BATCH):
        count = min(BATCH, events - start)
        database.execute(FILL, (start, count, position + 1, CONVERSATIONS, app))
        database.commit()
    each = events // CONVERSATIONS
    for n in range(CONVERSATIONS):
        last = position + 1 + events - CONVERSATIONS + n
        database.execute(
            "INSERT INTO conversations VALUES (?,?,'group',NULL,NULL,0,0,'h0',?,?,?,1,NULL,'{}')",
            (f"c_bench_{n}", app, each, each, last),
        )
        database.execute(
            'INSERT INTO members (conversation, "user", app, role, joined_at, from_seq, left_seq,'
            " delivered, read, moved, sent_at, preferences)"
            " VALUES (?, 'h0', ?, 'member', 0, 0, 0, 0, 0, 0, 0, '{}')",
            (f"c_bench_{n}", app),
        )
    end = (position + events + 1,)
    database.execute("UPDATE positions SET last = ?", end)
    # What reads the log in the background has long read these.
    for readers in ("readers", "outbox_readers"):
        database.execute(f"UPDATE {readers} SET position = ?", end)
    database.commit()
    database.close()
