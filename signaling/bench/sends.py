"""Durable sends: how many, how soon they are acked, and how soon the other device has them."""

import asyncio
import statistics
import time
from functools import partial
from typing import Any

from signaling.bench.house import House
from signaling.bench.wire import Client, EventSeen, token

CLIENTS = 50
BUCKETS_MS = (1, 2, 5, 10, 20, 50, 100, 200, 500)
CREATED = "message:created"
WARM = 40
"""Rounds of one send of each client that come first."""


def percentile(values: list[float], part: float) -> float:
    """Of unsorted values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else 0.0


def histogram(waits_s: list[float]) -> dict[str, int]:
    """How many waits were under each bound in ms, and not under the one before."""
    counts = dict.fromkeys([*(f"<{bound}" for bound in BUCKETS_MS), "more"], 0)
    for wait in waits_s:
        name = next((f"<{b}" for b in BUCKETS_MS if wait * 1e3 < b), "more")
        counts[name] += 1
    return counts


def ignore(_event: str, _data: Any) -> None:
    """Nothing."""


async def pairs_of(url: str, count: int, on_event: EventSeen = ignore) -> list[tuple[Client, str]]:
    """`count` clients, two and two in a direct conversation."""
    clients = [
        await Client.connect(
            url,
            {"token": token(url, f"u{n}"), "device": "bench"},
            ignore if n % 2 == 0 else on_event,
        )
        for n in range(count)
    ]
    pairs = []
    for n, client in enumerate(clients):
        request = {"type": "direct", "members": [f"u{n ^ 1}"], "client_id": f"make-{n}"}
        made = await client.request("conversation:create", request)
        pairs.append((client, made["conversation"]["id"]))
    return pairs


def send(client: Client, conversation: str, client_id: str) -> "asyncio.Future[Any]":
    body = {"text": "the quick brown fox jumps over the lazy dog"}
    request = {"conversation": conversation, "client_id": client_id, "type": "text", "body": body}
    return client.ask("message:send", request)


async def sends(house: House, seconds: float) -> dict[str, Any]:
    """Every client sends again as soon as it is acked, then a steady 5 000 a second."""
    pairs = await pairs_of(house.url, CLIENTS)
    await _warm(pairs)
    result: dict[str, Any] = {"clients": CLIENTS}
    for window in (1, 4):
        result[f"window_{window}"] = await _closed(house, pairs, seconds, window)
    result["at_5000_per_s"] = await _steady(house, pairs, seconds, 5_000)
    for client, _ in pairs:
        client.close()
    return result


async def _warm(pairs: list[tuple[Client, str]]) -> None:
    """What a server does for the first time takes longer, and is not counted."""
    for n in range(WARM):
        await asyncio.gather(*(send(*pair, f"warm-{n}") for pair in pairs))


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
            answer = await send(client, conversation, f"w{window}-{lane}-{n}")
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
        future = send(*pairs[n % len(pairs)], f"s{rate}-{n}")
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
        "ack_ms": histogram(waits),
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

    pairs = await pairs_of(house.url, CLIENTS, arrived)
    await _warm(pairs)
    began = time.perf_counter()
    for n in range(int(1_000 * seconds)):
        if (early := began + n / 1_000 - time.perf_counter()) > 0:
            await asyncio.sleep(early)
        # Only the first of a pair sends: what the second gets has crossed the server.
        client, conversation = pairs[n * 2 % CLIENTS]
        sent[f"{conversation} l-{n}"] = time.perf_counter()
        ack = send(client, conversation, f"l-{n}")
        ack.add_done_callback(lambda done: done.exception())
    await _emptied(sent)
    for client, _ in pairs:
        client.close()
    return {
        "delivered": len(waits),
        "missing": len(sent),
        "delivery_ms_p50": round(statistics.median(waits) * 1e3, 2),
        "delivery_ms_p99": round(percentile(waits, 0.99) * 1e3, 2),
        "delivery_ms": histogram(waits),
    }


async def _emptied(sent: dict[str, float]) -> None:
    """Give what is under way five seconds."""
    for _ in range(100):
        if not sent:
            return
        await asyncio.sleep(0.05)
