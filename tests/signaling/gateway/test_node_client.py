"""npm's socket.io-client 4.8 in Node, an independent client, goes through its features."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from signaling.gateway.conformance import make_app
from signaling.model import Identity
from tests.conftest import required
from tests.signaling.gateway.peers import UNHURRIED, Desk, Peer, gateway, serving, until

NODE = Path(__file__).parents[2] / "node"


class Round(Desk):
    """Answers the odd requests of feature_round.mjs."""

    def __init__(self) -> None:
        super().__init__()
        self.close: Any = None
        self.waiting: Callable[[], bool] = lambda: False
        """Whether a request waits for its turn."""

    async def request(self, who: Identity, event: str, payload: Any) -> dict[str, Any]:
        answer = await super().request(who, event, payload)
        loop = asyncio.get_running_loop()
        if event == "late" or (event == "late once" and self.count(event) == 1):
            await until(self.waiting)  # its client gave it up, and asks for something again
        elif event == "drop":
            loop.call_soon(self.close, who.connection, "server:drain")
        elif event == "expel":
            loop.call_soon(self.close, who.connection, "revoked")
        elif event == "seen":
            return {"events": [name for name, _ in self.seen if name != "opened"]}
        return answer

    def count(self, event: str) -> int:
        return sum(name == event for name, _ in self.seen)


async def run(peer: Peer, case: str) -> None:
    """One case of feature_round.mjs."""
    node = shutil.which("node")
    if node is None or not (NODE / "node_modules" / "socket.io-client").exists():
        required("node with tests/node/node_modules (scripts/setup-tools)")
        return
    process = await asyncio.create_subprocess_exec(
        node, "feature_round.mjs", peer.base, case, cwd=NODE, stderr=asyncio.subprocess.PIPE
    )
    try:
        _, errors = await asyncio.wait_for(process.communicate(), 120)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    assert process.returncode == 0, errors.decode()


@pytest.mark.timeout(150)
@pytest.mark.parametrize(
    "case",
    [
        "upgrade",
        "polling",
        "websocket",
        "ack timeout",
        "retries",
        "reconnect",
        "told to stay away",
        "volatile",
        "connect_error",
    ],
)
async def test_a_stock_client(case: str) -> None:
    desk = Round()
    async with gateway(None, desk) as (served, peer, _):
        sockets = served._server.eio.sockets
        desk.close = served.close
        desk.waiting = lambda: any(socket.session.waiting for socket in sockets.values())
        await run(peer, case)
        if case == "retries":
            assert desk.count("late once") >= 2


@pytest.mark.timeout(150)
@pytest.mark.parametrize("case", ["binary", "namespaces"])
async def test_a_stock_client_on_the_conformance_peer(case: str) -> None:
    async with serving(make_app(UNHURRIED)) as peer:
        await run(peer, case)
