"""Our Socket.IO gateway beside npm's socket.io 4.8: same machine, same load, in turns.

`scripts/bench socketio [--json] [--rounds 5] [--seconds 1.0]`. Needs node and npm; the npm package
goes to .cache/. The server is pinned to one core and the load to another where there are two.
"""

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvloop

from scripts.benches import socketio_load as load

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache" / "socketio-bench"
ROOM_SIZES = (20, 200, 2000)
WINDOWS = (1, 4)
"""Messages to the room that are under way at once."""
SERVERS = ("ours", "node")
IDLE = 1000


def install() -> None:
    """npm's server, once."""
    if not (CACHE / "node_modules" / "socket.io").exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        npm = shutil.which("npm") or sys.exit("npm is needed")
        command = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(CACHE)]
        subprocess.run([*command, "socket.io@4.8"], check=True, stdout=subprocess.DEVNULL)


class Server:
    """A server process under measurement."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.pid = process.pid
        self.port = port

    def cpu_s(self) -> float:
        """CPU time of all its threads."""
        tasks = Path(f"/proc/{self.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9

    def pin(self) -> None:
        """To the first core, where there is another one for the load."""
        if (os.cpu_count() or 1) > 1:
            for task in Path(f"/proc/{self.pid}/task").iterdir():
                os.sched_setaffinity(int(task.name), {0})

    def rss_bytes(self) -> int:
        """Resident memory."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


@asynccontextmanager
async def running(name: str) -> AsyncIterator[Server]:
    """Start a server, pinned to the first core; killed at the end."""
    here = Path(__file__).parent
    ours = [sys.executable, "-m", "scripts.benches.socketio_server"]
    command = ours if name == "ours" else ["node", str(here / "socketio_peer.mjs"), str(CACHE)]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout is not None
    port = int(await asyncio.wait_for(process.stdout.readline(), 30))
    server = Server(process, port)
    server.pin()
    try:
        yield server
    finally:
        process.kill()
        await process.wait()


Figures = dict[str, dict[str, list[float]]]


async def measure(name: str, seconds: float, figures: Figures) -> None:
    """One round of everything on a fresh server."""
    async with running(name) as server:
        await idle(server, figures["idle connection, KB"][name])
        for size in ROOM_SIZES:
            clients = await load.join_many(server.port, f"room{size}", size)
            for window in WINDOWS:
                before = server.cpu_s()
                deliveries = await load.fan_out(clients, seconds, window)
                spent = (server.cpu_s() - before) / deliveries * 1e6
                figures[f"fan-out to {size}, {window} in flight, µs"][name].append(spent)
            load.leave(clients)
        await acks(server, seconds, name, figures)
        await offered(server, seconds, name, figures)
        before = server.cpu_s()
        count, wall = await load.connects(server.port, seconds)
        figures["connects per second"][name].append(count / wall)
        figures["connect, µs"][name].append((server.cpu_s() - before) / count * 1e6)


async def idle(server: Server, into: list[float]) -> None:
    """Memory of connections that do nothing, after a first hundred warmed the server up."""
    warm = await load.join_many(server.port, "idle", 100)
    before = server.rss_bytes()
    clients = await load.join_many(server.port, "idle", IDLE)
    await asyncio.sleep(0.5)
    into.append((server.rss_bytes() - before) / IDLE / 1000)
    load.leave(warm + clients)
    await asyncio.sleep(0.3)


async def acks(server: Server, seconds: float, name: str, figures: Figures) -> None:
    """Fifty clients, one request each in flight."""
    clients = await load.join_many(server.port, "acks", 50)
    before = server.cpu_s()
    count = await load.round_trips(clients, seconds)
    spent = server.cpu_s() - before
    figures["ack round trips per second"][name].append(count / seconds)
    figures["ack round trip, µs"][name].append(spent / count * 1e6)
    load.leave(clients)


async def offered(server: Server, seconds: float, name: str, figures: Figures) -> None:
    """A hundred messages a second to a room of 200, without and with two that do not read."""
    for label, stalled in (("", 0), (", 1 % not reading", 2)):
        clients = await load.join_many(server.port, f"offered{stalled}", 200 - stalled)
        deaf = await load.join_many(server.port, f"offered{stalled}", stalled)
        for client in deaf:
            client.transport.pause_reading()
        seen = sorted(await load.latencies(clients, 2 * seconds, 100))
        p99 = seen[int(len(seen) * 0.99)]
        figures[f"20 000 deliveries/s, p99 ms{label}"][name].append(p99)
        load.leave(clients + deaf)


async def run(rounds: int, seconds: float) -> dict[str, dict[str, float]]:
    """Medians of all rounds, the servers taking turns."""
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {1})
    figures: Figures = defaultdict(lambda: defaultdict(list))
    for number in range(rounds):
        for name in SERVERS if number % 2 == 0 else SERVERS[::-1]:
            await measure(name, seconds, figures)
    return {
        row: {name: round(statistics.median(values), 2) for name, values in columns.items()}
        for row, columns in figures.items()
    }


def main() -> None:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0)
    options = parser.parse_args()
    install()
    result = uvloop.run(run(options.rounds, options.seconds))
    if options.json:
        print(json.dumps(result, ensure_ascii=False, indent=2))
        return
    print(f"{'':42}{'ours':>10}{'node':>10}{'ours/node':>11}")
    for row, by in result.items():
        print(f"{row:42}{by['ours']:10.2f}{by['node']:10.2f}{by['ours'] / by['node']:11.2f}")


if __name__ == "__main__":
    main()
