"""The browser's SDK against a gateway that does what a test says, and against a whole server."""

import asyncio
import re
import shutil
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from signaling.app import Process
from signaling.errors import Refused
from signaling.gateway import GatewayConfig
from signaling.model import Identity
from signaling.ports import Remote
from tests.conftest import required
from tests.signaling.gateway.peers import Desk, gateway

NODE = Path(__file__).parents[1] / "node"
SCRIPT = NODE / "sdk_round.mjs"
CASES = re.findall(r'^  async "(.+)"\(\) {$', SCRIPT.read_text(), re.MULTILINE)
WHOLE = "coming again to what one may not read"
"""The case that wants a whole server."""
WAIT_S = 120


class Scripted(Desk):
    """Refuses and answers as its client has planned, and emits what the client asks for."""

    def __init__(self) -> None:
        super().__init__()
        # filled once there is a gateway
        self.emit: Any = None
        self.close: Any = None
        # made here
        self._refusals: dict[str, int] = defaultdict(int)
        self._answers: dict[str, dict[str, Any]] = defaultdict(dict)

    async def authenticate(self, auth: Mapping[str, Any], remote: Remote) -> Identity:
        self._refuse("authenticate")
        return await super().authenticate(auth, remote)

    async def request(self, who: Identity, event: str, payload: Any) -> dict[str, Any]:
        self.seen.append((event, payload))
        loop = asyncio.get_running_loop()
        match event:
            case "plan":
                self._refusals[payload["event"]] = payload["refusals"]
                self._answers[payload["event"]] = payload["answer"]
            case "say":
                loop.call_soon(self.emit, (who.connection,), payload["event"], payload["data"])
            case "drop":
                loop.call_soon(self.close, who.connection, "server:drain")
            case "seen":
                return {"payloads": [what for name, what in self.seen if name == payload["event"]]}
            case _:
                self._refuse(event)
                return self._answers[event]
        return {}

    def _refuse(self, event: str) -> None:
        if self._refusals[event]:
            self._refusals[event] -= 1
            raise Refused(self._answers[event].get("code", "unavailable"), "as planned")


async def run(url: str, case: str) -> None:
    """One case of sdk_round.mjs."""
    node = shutil.which("node")
    if node is None or not (NODE / "node_modules" / "ws").exists():
        required("node with tests/node/node_modules (scripts/setup-tools)")
        return
    process = await asyncio.create_subprocess_exec(
        node, SCRIPT.name, url, case, cwd=NODE, stderr=asyncio.subprocess.PIPE
    )
    try:
        _, errors = await asyncio.wait_for(process.communicate(), WAIT_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, errors.decode()


@pytest.mark.parametrize("case", [case for case in CASES if case != WHOLE])
async def test_against_a_gateway(case: str) -> None:
    desk = Scripted()
    async with gateway(GatewayConfig(origins=("*",)), desk) as (served, peer, _):
        desk.emit, desk.close = served.emit, served.close
        await run(peer.base, case)


async def test_coming_again_to_what_one_may_not_read(process: Process) -> None:
    await run(process.url, WHOLE)
