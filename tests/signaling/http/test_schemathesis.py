"""The running server against its own OpenAPI document, as schemathesis reads it: all checks."""

import asyncio
import hashlib
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from signaling.app import Process
from tests.conftest import MakeProcess
from tests.signaling.http.callers import Caller, server_of, token_of, user_of

CONFIG = Path(__file__).with_name("schemathesis.toml")
EXAMPLES = 5
SEED = os.environ.get("TOKENIM_TEST_SEED", "1")
"""The same examples each time; another one looks elsewhere."""
HOUR_S = 3600
ALL = ("admin", "operator", "read", "tokens", "write")


@pytest.fixture
async def process(make_process: MakeProcess) -> Process:
    return await make_process(**{"limits.rest_rate": 100_000, "limits.address_rate": 100_000})


Put = Callable[[str, bytes], Awaitable[None]]
"""Uploads Ann's bytes to a path."""


class Hall:
    """A Conversation of Ann's with Bob in it, and something of everything that can be asked for."""

    def __init__(self, ann: Caller, bob: Caller, put: Put) -> None:
        self._ann, self._bob, self._put = ann, bob, put
        self.conversation = ""
        self.file = ""

    async def fill(self) -> None:
        """Four messages after the two who joined; what may be done to one was done."""
        asked = {"type": "group", "members": ["bob"], "client_id": "hall"}
        made = await self._done(self._ann, "POST", "/conversations", asked)
        self.conversation = made["conversation"]["id"]
        for number in range(4):
            await self._say(number)
        first = f"{self._here}/messages/3"
        await self._done(self._ann, "PATCH", first, {"body": {"text": "better"}})
        await self._done(self._bob, "PUT", f"{first}/reactions/x")
        await self._done(self._ann, "PUT", f"{first}/pin")
        await self._done(self._bob, "POST", f"{first}/report", {"reason": "spam"})
        await self._say(9, send_at=round(time.time() + HOUR_S) * 1000)
        await self._done(self._ann, "POST", f"{self._here}/invites", {})
        await self._upload(b"what the file says")

    @property
    def _here(self) -> str:
        return f"/conversations/{self.conversation}"

    async def _say(self, number: int, **more: object) -> None:
        said = {"type": "text", "body": {"text": "hello"}, "client_id": f"said-{number}"}
        await self._done(self._ann, "POST", f"{self._here}/messages", {**said, **more})

    async def _upload(self, content: bytes) -> None:
        offer = {
            "conversation": self.conversation,
            "client_id": "file",
            "name": "note.txt",
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        offered = await self._done(self._ann, "POST", "/files", offer)
        self.file = offered["file"]
        await self._put(offered["upload_url"], content)

    async def _done(self, caller: Caller, method: str, path: str, body: object = None) -> Any:
        status, answer = await caller(method, f"/v1{path}", body)
        assert status in (200, 201), answer
        return answer


@pytest.fixture
async def hall(process: Process) -> AsyncIterator[Hall]:
    async with ClientSession(process.url) as client:
        server = await server_of(process, client, "demo")
        headers = {"Authorization": f"Bearer {await token_of(server, 'ann')}"}

        async def put(path: str, content: bytes) -> None:
            async with client.put(path, data=content, headers=headers) as response:
                assert response.status == 201, await response.text()

        ann, bob = [await user_of(client, server, name) for name in ("ann", "bob")]
        made = Hall(ann, bob, put)
        await made.fill()
        yield made


async def run(process: Process, hall: Hall, *arguments: str) -> None:
    """Raises AssertionError with what was found."""
    config = process._settings.storage.data_dir / CONFIG.name
    text = CONFIG.read_text().replace("CONVERSATION", hall.conversation)
    config.write_text(text.replace("FILE", hall.file))
    command = [str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(config)]
    command += ["run", f"{process.url}/openapi.json", "--max-examples", str(EXAMPLES)]
    command += ["--seed", SEED, *arguments]
    running = await asyncio.create_subprocess_exec(
        *command,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=process._settings.storage.data_dir,  # it leaves a cache where it runs
    )
    try:
        output, _ = await running.communicate()
    finally:
        if running.returncode is None:
            running.kill()
    assert running.returncode == 0, output.decode()


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_what_an_apps_server_may_ask(process: Process, hall: Hall) -> None:
    issued = await process.registry.create_key("demo", "checks", ALL)
    await run(
        process, hall, "--auth", f"{issued.key.id}:{issued.secret}", "--include-tag", "management"
    )


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_what_a_user_may_ask(process: Process, hall: Hall) -> None:
    issued = await process.registry.create_key("demo", "checks", ALL)
    token = await process.guarding.tokens.mint(issued.key.id, "ann")
    header = f"Authorization: Bearer {token}"
    await run(process, hall, "--header", header, "--exclude-tag", "management")
