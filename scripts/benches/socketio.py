"""Our Socket.IO gateway beside npm's socket.io 4.8: same machine, same load, in turns.

`scripts/bench socketio [--json] [--rounds 5] [--seconds 1.0] [--only slow …]`. Needs node and npm;
the npm package goes to .cache/. The server is pinned to one core and the load to another where
there are two. Figures are medians of the rounds; µs are CPU time of the server's process.
"""

import argparse
import asyncio
import gc
import json
import os
import statistics
from collections import defaultdict
from collections.abc import Awaitable, Callable

import uvloop

from scripts.benches import socketio_goals as goals
from scripts.benches import socketio_load as load
from scripts.benches.socketio_process import SERVERS, Server, install, running

ROOM_SIZES = (20, 200, 2000)
WINDOWS = (1, 4)
"""Messages to the room that are under way at once."""
IDLE = 1000
ROOM = 200
RATE = 100
"""Messages a second to a room of 200: 20 000 deliveries."""
NOT_READING = 2
TURNS = (False, True, True, False) * 2
PREFILLED_BYTES = 1_000_000
"""Waiting for each that does not read, when measuring begins: our limit is 1 MiB."""

Figures = dict[str, dict[str, list[float]]]


async def idle(server: Server, seconds: float, figures: Figures) -> None:
    """Memory of connections that do nothing, after a first hundred warmed the server up."""
    warm = await load.join_many(server.port, "idle", 100)
    before = server.rss_bytes()
    clients = await load.join_many(server.port, "idle", IDLE)
    await asyncio.sleep(seconds / 2)
    kilobytes = (server.rss_bytes() - before) / IDLE / 1000
    figures["idle connection, KB"][server.name].append(kilobytes)
    load.leave(warm + clients)
    await asyncio.sleep(0.3)


async def fan_out(server: Server, seconds: float, figures: Figures) -> None:
    """CPU per delivery to rooms, with one and with several messages under way."""
    for size in ROOM_SIZES:
        clients = await load.join_many(server.port, f"room{size}", size)
        for window in WINDOWS:
            before = server.cpu_s()
            deliveries = await load.fan_out(clients, seconds, window)
            spent = (server.cpu_s() - before) / deliveries * 1e6
            figures[f"fan-out to {size}, {window} in flight, µs"][server.name].append(spent)
        load.leave(clients)


async def acks(server: Server, seconds: float, figures: Figures) -> None:
    """Fifty clients, one request each in flight."""
    clients = await load.join_many(server.port, "acks", 50)
    before = server.cpu_s()
    count = await load.round_trips(clients, seconds)
    spent = server.cpu_s() - before
    figures["ack round trips per second"][server.name].append(count / seconds)
    figures["ack round trip, µs"][server.name].append(spent / count * 1e6)
    load.leave(clients)


async def offered(server: Server, seconds: float, figures: Figures) -> None:
    """A hundred messages a second to a room of 200."""
    clients = await load.join_many(server.port, "offered", ROOM)
    seen = await load.latencies(clients, 2 * seconds, RATE)
    figures["20 000 deliveries/s, p99 ms"][server.name].append(load.p99(seen))
    load.leave(clients)


async def slow(server: Server, seconds: float, figures: Figures) -> None:
    """The same with 2 KB messages, in turns without and with 1 % of the room not reading.

    What waits for those two is near our limit when it begins, and over it before it ends.
    """
    healthy = await load.join_many(server.port, "slow", ROOM - NOT_READING)
    seen: dict[bool, list[float]] = {False: [], True: []}
    for with_deaf in TURNS:
        deaf: list[load.Client] = []
        if with_deaf:
            deaf = [await load.join_deaf(server.port, "slow") for _ in range(NOT_READING)]
            await load.fill(server.port, "slow", PREFILLED_BYTES, healthy)
        seen[with_deaf] += await load.latencies(healthy, seconds, RATE, load.LONG_FAN)
        load.leave(deaf)
    without, beside = load.p99(seen[False]), load.p99(seen[True])
    figures["2 KB messages, p99 ms"][server.name].append(without)
    figures["2 KB messages, 1 % not reading, p99 ms"][server.name].append(beside)
    figures["1 % not reading, times"][server.name].append(beside / without)
    load.leave(healthy)


async def connects(server: Server, seconds: float, figures: Figures) -> None:
    """Fifty at a time connect, are admitted and leave."""
    before = server.cpu_s()
    count, wall = await load.connects(server.port, seconds)
    figures["connects per second"][server.name].append(count / wall)
    figures["connect, µs"][server.name].append((server.cpu_s() - before) / count * 1e6)


WORK: dict[str, Callable[[Server, float, Figures], Awaitable[None]]] = {
    work.__name__: work for work in (idle, fan_out, acks, offered, slow, connects)
}


async def run(rounds: int, seconds: float, only: list[str]) -> dict[str, dict[str, float]]:
    """Medians of all rounds, the servers taking turns, each round on fresh ones."""
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {1})
    gc.disable()  # a collection of the load's own would count as the server's delay
    figures: Figures = defaultdict(lambda: defaultdict(list))
    for number in range(rounds):
        for name in SERVERS if number % 2 == 0 else SERVERS[::-1]:
            async with running(name) as server:
                for work in only or WORK:
                    await WORK[work](server, seconds, figures)
            gc.collect()
    return {
        row: {name: round(statistics.median(values), 2) for name, values in columns.items()}
        for row, columns in figures.items()
    }


def main() -> None:
    """Print the table and what was aimed at, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--only", nargs="*", choices=list(WORK), default=[], metavar="WORK")
    options = parser.parse_args()
    install()
    figures = uvloop.run(run(options.rounds, options.seconds, options.only))
    judged = goals.judge(figures)
    if options.json:
        print(json.dumps({"figures": figures, "goals": judged}, ensure_ascii=False, indent=2))
        return
    print(f"{'':42}{'ours':>10}{'node':>10}{'ours/node':>11}")
    for row, by in figures.items():
        print(f"{row:42}{by['ours']:10.2f}{by['node']:10.2f}{by['ours'] / by['node']:11.2f}")
    print()
    for goal in judged:
        print(f"{goal['goal']:66}{goal['value']:8.2f}  {'holds' if goal['holds'] else 'MISSED'}")


if __name__ == "__main__":
    main()
