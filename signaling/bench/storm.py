"""Everybody comes back at once, each a little behind."""

import asyncio
import time
from typing import Any

from signaling.bench.house import House
from signaling.bench.sends import ignore, send
from signaling.bench.wire import Client, token

STORM_BEHIND = 20
STORM_GROUP = 20


async def storm(house: House, clients: int) -> dict[str, Any]:
    """All come back at once, each 20 events behind; until the last one has them."""
    url = house.url
    auths = [{"token": token(url, f"s{n}"), "device": "bench"} for n in range(clients)]
    cursors: list[str] = []
    for n in range(0, clients, STORM_GROUP):
        cursors += await _group(url, auths[n : n + STORM_GROUP], n)
    whole, began, cpu = 0, time.perf_counter(), house.cpu_s()

    async def back(n: int) -> Client:
        nonlocal whole
        client = await Client.connect(url, {**auths[n], "cursor": cursors[n]}, ignore)
        found = client.ready.result()["missed"]["conversations"]
        whole += sum(len(entry["events"]) for entry in found) >= STORM_BEHIND
        return client

    tries = [asyncio.ensure_future(back(n)) for n in range(clients)]
    await asyncio.wait(tries)
    seconds = time.perf_counter() - began
    for tried in tries:
        if tried.exception() is None:
            tried.result().close()
    return {
        "clients": clients,
        "whole": whole,
        "seconds": round(seconds, 2),
        "server_cpu_s": round(house.cpu_s() - cpu, 2),
    }


async def _group(url: str, auths: list[dict[str, str]], first: int) -> list[str]:
    """A group whose members all saw its beginning and nothing of the 20 messages after."""
    cursors = []
    for n, auth in enumerate(auths):
        client = await Client.connect(url, auth, ignore)
        joining = {"alias": f"storm-{first}", "create": True}
        joined = await client.request("conversation:join", joining)
        cursors.append((await client.request("sync", {"cursor": None}))["cursor"])
        if n == len(auths) - 1:
            for k in range(STORM_BEHIND):
                await send(client, joined["conversation"]["id"], f"storm-{k}")
        client.close()
    return cursors
