"""A log of many events: how long a page of history takes, and the start of the server."""

import asyncio
import time
from typing import Any

from signaling.bench.filling import USER, Filling, fill
from signaling.bench.house import House
from signaling.bench.sends import ignore, percentile
from signaling.bench.wire import Client, token

CONVERSATIONS = 1_000
PAGES = 300


async def history(house: House, events: int) -> dict[str, Any]:
    """Fill the stopped server's file, start it, and page at random through one user's log."""
    filling = Filling(prefix="c_bench_", conversations=CONVERSATIONS, events=events)
    began = time.perf_counter()
    started_s = await refill(house, [filling])
    filled_s = time.perf_counter() - began - started_s
    client = await Client.connect(house.url, auth(house), ignore)
    waits = [await _page(client, n, events // CONVERSATIONS) for n in range(PAGES)]
    client.close()
    return {
        "events": events,
        "fill_s": round(filled_s, 1),
        "start_s": round(started_s, 2),
        "page_ms_p50": round(percentile(waits, 0.5) * 1e3, 2),
        "page_ms_p99": round(percentile(waits, 0.99) * 1e3, 2),
    }


async def _page(client: Client, n: int, each: int) -> float:
    """Seconds for a page somewhere in some conversation."""
    name, before = f"c_bench_{(n * 31) % CONVERSATIONS}", (n * 7919) % each + 50
    began = time.perf_counter()
    request = {"conversation": name, "before": before, "limit": 50}
    answer = await client.request("history:get", request)
    assert answer["events"]
    return time.perf_counter() - began


async def refill(house: House, fillings: list[Filling]) -> float:
    """Stop the server, write into its file, start it; seconds that the start took."""
    client = await Client.connect(house.url, auth(house), ignore)
    app = client.ready.result()["app"]
    client.close()
    house.stop()
    await asyncio.to_thread(fill, house, app, fillings)
    return house.start()


def auth(house: House) -> dict[str, str]:
    """Of the user who is everywhere."""
    return {"token": token(house.url, USER), "device": "bench"}
