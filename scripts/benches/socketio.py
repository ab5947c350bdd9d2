"""Our Socket.IO gateway beside npm's socket.io 4.8: same machine, same load, in turns.

`scripts/bench socketio [--json] [--rounds 5] [--seconds 1.0] [--only slow …]`. Needs node and npm;
the npm package goes to .cache/. The server is pinned to one core and the load to another where
there are two. Figures are medians of the rounds; µs are CPU time of the server's process.

Where CPU time is compared, both servers run and are loaded in short slices, one right after the
other. The last column is the median over those pairs: whatever else the machine does meanwhile
slows both of a pair down.
"""

import argparse
import asyncio
import gc
import json
import os
import statistics
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

import uvloop

from scripts.benches import socketio_goals as goals
from scripts.benches import socketio_load as load
from scripts.benches.socketio_goals import TIMES
from scripts.benches.socketio_process import SERVERS, Server, install, running

ROOM_SIZES = (20, 200, 2000)
WINDOWS = (1, 4)
"""Messages to the room that are under way at once."""
IDLE = 1000
ROOM = 200
RATE = 100
"""Messages a second to a room of 200: 20 000 deliveries."""
NOT_READING = 2
SLICES = 6
"""Of each work and round, per server: short enough for the machine to be the same for a pair."""
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


async def fan_out(servers: Sequence[Server], seconds: float, figures: Figures) -> None:
    """CPU per delivery to rooms, with one and with several messages under way."""
    for size in ROOM_SIZES:
        room = {s.name: await load.join_many(s.port, f"room{size}", size) for s in servers}
        for window in WINDOWS:
            row = f"fan-out to {size}, {window} in flight, µs"
            await in_turns(servers, seconds, figures[row], partial(deliver, room, window))
        for clients in room.values():
            load.leave(clients)


async def deliver(
    room: Mapping[str, list[load.Client]], window: int, server: Server, seconds: float
) -> int:
    """Deliveries to the room of one server."""
    return await load.fan_out(room[server.name], seconds, window)


async def acks(servers: Sequence[Server], seconds: float, figures: Figures) -> None:
    """Fifty clients, one request each in flight."""
    clients = {s.name: await load.join_many(s.port, "acks", 50) for s in servers}

    async def ask(server: Server, slice_s: float) -> int:
        count = await load.round_trips(clients[server.name], slice_s)
        figures["ack round trips per second"][server.name].append(count / slice_s)
        return count

    await in_turns(servers, seconds, figures["ack round trip, µs"], ask)
    for joined in clients.values():
        load.leave(joined)


async def connects(servers: Sequence[Server], seconds: float, figures: Figures) -> None:
    """Fifty at a time connect, are admitted and leave."""

    async def come(server: Server, slice_s: float) -> int:
        count, wall = await load.connects(server.port, slice_s)
        figures["connects per second"][server.name].append(count / wall)
        return count

    await in_turns(servers, seconds, figures["connect, µs"], come)


async def in_turns(
    servers: Sequence[Server],
    seconds: float,
    columns: dict[str, list[float]],
    work: Callable[[Server, float], Awaitable[int]],
) -> None:
    """µs of CPU per unit of work of both servers, in pairs of slices that follow each other.

    As much again comes before it and is not counted: Node compiles what it does often.
    """
    for server in servers:
        await work(server, seconds)
    for number in range(SLICES):
        spent: dict[str, float] = {}
        for server in servers if number % 2 == 0 else servers[::-1]:
            before = server.cpu_s()
            count = await work(server, seconds / SLICES)
            spent[server.name] = (server.cpu_s() - before) / count * 1e6
            columns[server.name].append(spent[server.name])
        if len(spent) == len(SERVERS):
            columns[TIMES].append(spent["node"] / spent["ours"])


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


ALONE: dict[str, Callable[[Server, float, Figures], Awaitable[None]]] = {
    work.__name__: work for work in (idle, offered, slow)
}
"""Done on one server while the other does not run."""
PAIRED: dict[str, Callable[[Sequence[Server], float, Figures], Awaitable[None]]] = {
    work.__name__: work for work in (fan_out, acks, connects)
}


async def run(rounds: int, seconds: float, only: list[str]) -> dict[str, dict[str, float]]:
    """Medians of all rounds, the servers taking turns, each round on fresh ones."""
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {1})
    gc.disable()  # a collection of the load's own would count as the server's delay
    figures: Figures = defaultdict(lambda: defaultdict(list))
    for number in range(rounds):
        order = SERVERS if number % 2 == 0 else SERVERS[::-1]
        await alone(order, seconds, only, figures)
        await paired(order, seconds, only, figures)
        gc.collect()
    return {
        row: {name: round(statistics.median(values), 2) for name, values in columns.items()}
        for row, columns in figures.items()
    }


async def alone(order: Sequence[str], seconds: float, only: list[str], figures: Figures) -> None:
    """What is measured without a neighbour."""
    for name in order:
        works = [work for work in only or ALONE if work in ALONE]
        if works:
            async with running(name) as server:
                for work in works:
                    await ALONE[work](server, seconds, figures)


async def paired(order: Sequence[str], seconds: float, only: list[str], figures: Figures) -> None:
    """What is measured slice by slice."""
    works = [work for work in only or PAIRED if work in PAIRED]
    if works:
        async with running(order[0]) as first, running(order[1]) as second:
            for work in works:
                await PAIRED[work]((first, second), seconds, figures)


def main() -> None:
    """Print the table and what was aimed at, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--only", nargs="*", choices=[*ALONE, *PAIRED], default=[], metavar="WORK")
    options = parser.parse_args()
    install()
    figures = uvloop.run(run(options.rounds, options.seconds, options.only))
    judged = goals.judge(figures)
    if options.json:
        print(json.dumps({"figures": figures, "goals": judged}, ensure_ascii=False, indent=2))
        return
    print(f"{'':42}{'ours':>10}{'node':>10}{TIMES:>11}")
    for row, by in figures.items():
        times = by.get(TIMES, by["node"] / by["ours"])
        print(f"{row:42}{by['ours']:10.2f}{by['node']:10.2f}{times:11.2f}")
    print()
    for goal in judged:
        print(f"{goal['goal']:66}{goal['value']:8.2f}  {'holds' if goal['holds'] else 'MISSED'}")


if __name__ == "__main__":
    main()
