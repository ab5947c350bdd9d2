"""Messaging measured through real sockets: durable sends, delivery, receipts, reconnects, history.

    scripts/bench im [--json] [--only sends,latency,storm,history] [--seconds 5] [--events 200000]

The server runs on core 0 with fsync on; the clients run here, on another core if there is one.
"""

import argparse
import asyncio
import json
import os
import statistics
import time
from functools import partial
from typing import Any

from scripts.benches.history import history
from scripts.benches.house import House, many_sockets
from scripts.benches.wire import Client, EventSeen, token

CLIENTS = 50
STORM_CLIENTS = 2_000
STORM_BEHIND = 20
STORM_GROUP = 20
CREATED = "message:created"


def percentile(values: list[float], part: float) -> float:
    """Of unsorted values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else 0.0


def _ignore(_event: str, _data: Any) -> None:
    """Nothing."""


async def _pairs(url: str, count: int, on_event: EventSeen = _ignore) -> list[tuple[Client, str]]:
    """`count` clients, two and two in a direct conversation."""
    clients = [
        await Client.connect(
            url,
            {"token": token(url, f"u{n}"), "device": "bench"},
            _ignore if n % 2 == 0 else on_event,
        )
        for n in range(count)
    ]
    pairs = []
    for n, client in enumerate(clients):
        request = {"type": "direct", "members": [f"u{n ^ 1}"], "client_id": f"make-{n}"}
        made = await client.request("conversation:create", request)
        pairs.append((client, made["conversation"]["id"]))
    return pairs


def _send(client: Client, conversation: str, client_id: str) -> "asyncio.Future[Any]":
    body = {"text": "the quick brown fox jumps over the lazy dog"}
    request = {"conversation": conversation, "client_id": client_id, "type": "text", "body": body}
    return client.ask("message:send", request)


async def sends(house: House, seconds: float) -> dict[str, Any]:
    """Every client sends again as soon as it is acked, then a steady 5 000 a second."""
    pairs = await _pairs(house.url, CLIENTS)
    result: dict[str, Any] = {"clients": CLIENTS}
    for window in (1, 4):
        result[f"window_{window}"] = await _closed(house, pairs, seconds, window)
    result["at_5000_per_s"] = await _steady(house, pairs, seconds, 5_000)
    for client, _ in pairs:
        client.close()
    return result


async def _closed(
    house: House, pairs: list[tuple[Client, str]], seconds: float, window: int
) -> dict[str, Any]:
    waits: list[float] = []
    end = time.perf_counter() + seconds
    began, cpu = time.perf_counter(), house.cpu_s()

    async def run(client: Client, conversation: str, lane: int) -> None:
        n = 0
        while (now := time.perf_counter()) < end:
            n += 1
            answer = await _send(client, conversation, f"w{window}-{lane}-{n}")
            assert answer["ok"], answer
            waits.append(time.perf_counter() - now)

    await asyncio.gather(*(run(*pair, lane) for pair in pairs for lane in range(window)))
    return _figures(waits, time.perf_counter() - began, house.cpu_s() - cpu)


async def _steady(
    house: House, pairs: list[tuple[Client, str]], seconds: float, rate: int
) -> dict[str, Any]:
    """Open loop: what is late is counted from when it should have been sent."""
    waits: list[float] = []
    began, cpu, total = time.perf_counter(), house.cpu_s(), int(rate * seconds)
    pending = []
    for n in range(total):
        due = began + n / rate
        if (early := due - time.perf_counter()) > 0:
            await asyncio.sleep(early)
        future = _send(*pairs[n % len(pairs)], f"s{rate}-{n}")
        future.add_done_callback(partial(_waited, waits, due))
        pending.append(future)
        if n % 25 == 0:
            await asyncio.sleep(0)
    answers = await asyncio.gather(*pending)
    assert all(answer["ok"] for answer in answers), answers[-1]
    return _figures(waits, time.perf_counter() - began, house.cpu_s() - cpu)


def _waited(waits: list[float], due: float, _done: object) -> None:
    waits.append(time.perf_counter() - due)


def _figures(waits: list[float], seconds: float, cpu_s: float) -> dict[str, Any]:
    return {
        "per_second": round(len(waits) / seconds),
        "ack_ms_p50": round(statistics.median(waits) * 1e3, 2),
        "ack_ms_p99": round(percentile(waits, 0.99) * 1e3, 2),
        "server_cpu_us_per_send": round(cpu_s / len(waits) * 1e6),
        "server_cpu_percent": round(cpu_s / seconds * 100),
    }


async def latency(house: House, seconds: float) -> dict[str, Any]:
    """1 000 sends a second of 50 clients: from the send to the other device having it."""
    sent: dict[str, float] = {}
    waits: list[float] = []

    def arrived(event: str, data: Any) -> None:
        key = f"{data['conversation']} {data.get('client_id')}" if event == CREATED else ""
        began = sent.pop(key, None)
        if began is not None:
            waits.append(time.perf_counter() - began)

    pairs = await _pairs(house.url, CLIENTS, arrived)
    began = time.perf_counter()
    for n in range(int(1_000 * seconds)):
        if (early := began + n / 1_000 - time.perf_counter()) > 0:
            await asyncio.sleep(early)
        # Only the first of a pair sends: what the second gets has crossed the server.
        client, conversation = pairs[n * 2 % CLIENTS]
        sent[f"{conversation} l-{n}"] = time.perf_counter()
        ack = _send(client, conversation, f"l-{n}")
        ack.add_done_callback(lambda done: done.exception())
    await _emptied(sent)
    for client, _ in pairs:
        client.close()
    return {
        "delivered": len(waits),
        "missing": len(sent),
        "delivery_ms_p50": round(statistics.median(waits) * 1e3, 2),
        "delivery_ms_p99": round(percentile(waits, 0.99) * 1e3, 2),
    }


async def _emptied(sent: dict[str, float]) -> None:
    """Give what is under way five seconds."""
    for _ in range(100):
        if not sent:
            return
        await asyncio.sleep(0.05)


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
        client = await Client.connect(url, {**auths[n], "cursor": cursors[n]}, _ignore)
        found = client.ready.result()["missed"]["conversations"]
        whole += sum(len(entry["events"]) for entry in found) >= STORM_BEHIND
        return client

    opened = await asyncio.gather(*(back(n) for n in range(clients)))
    seconds = time.perf_counter() - began
    for client in opened:
        client.close()
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
        client = await Client.connect(url, auth, _ignore)
        joining = {"alias": f"storm-{first}", "create": True}
        joined = await client.request("conversation:join", joining)
        cursors.append((await client.request("sync", {"cursor": None}))["cursor"])
        if n == len(auths) - 1:
            for k in range(STORM_BEHIND):
                await _send(client, joined["conversation"]["id"], f"storm-{k}")
        client.close()
    return cursors


async def run(args: argparse.Namespace) -> dict[str, Any]:
    """The chosen parts, each on a fresh server."""
    result: dict[str, Any] = {}
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(0, set(cores[1:]))
    env = {
        "TOKENIM_GATEWAY_MAX_CONNECTIONS_PER_ADDRESS": str(STORM_CLIENTS + 100),
        "TOKENIM_MEDIA_ENABLED": "false",
        # What is measured is the work, not the allowance.
        "TOKENIM_LIMITS_CONNECTION_RATE": "0",
        "TOKENIM_LIMITS_USER_RATE": "0",
        "TOKENIM_LIMITS_ADDRESS_RATE": "0",
    }
    for name in args.only.split(","):
        with House(cores[0], env) as house:
            if name == "sends":
                result[name] = await sends(house, args.seconds)
            elif name == "latency":
                result[name] = await latency(house, args.seconds)
            elif name == "storm":
                result[name] = await storm(house, args.clients)
            elif name == "history":
                result[name] = await history(house, args.events)
    return result


def main() -> None:
    """Run, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", default="sends,latency,storm,history")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--clients", type=int, default=STORM_CLIENTS)
    parser.add_argument("--events", type=int, default=200_000)
    args = parser.parse_args()
    many_sockets(args.clients)
    result = asyncio.run(run(args))
    if args.json:
        print(json.dumps(result))
        return
    for part, figures in result.items():
        print(part)
        for name, value in figures.items():
            print(f"  {name:16} {json.dumps(value)}")


if __name__ == "__main__":
    main()
