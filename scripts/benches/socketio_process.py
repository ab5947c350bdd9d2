"""The two servers of the Socket.IO benchmark as processes: ours and npm's socket.io 4.8."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache" / "socketio-bench"
SERVERS = ("ours", "node")


def install() -> None:
    """npm's server, once."""
    if not (CACHE / "node_modules" / "socket.io").exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        npm = shutil.which("npm") or sys.exit("npm is needed")
        command = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(CACHE)]
        subprocess.run([*command, "socket.io@4.8"], check=True, stdout=subprocess.DEVNULL)


class Server:
    """A server process under measurement."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, port: int) -> None:
        self.name = name
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
    server = Server(name, process, port)
    server.pin()
    try:
        yield server
    finally:
        process.kill()
        await process.wait()
