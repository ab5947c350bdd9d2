"""The README's clients, run as they are printed, against a server."""

import asyncio
import json
import os
import re
import shutil
import sys
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from signaling.client import Client
from tests.conftest import required
from tests.e2e.server import Server

ROOT = Path(__file__).parents[1]
NODE_PLACE = ROOT / "tests" / "node"
WAIT_S = 120


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    one = Server(tmp_path_factory.mktemp("readme"))
    one.start()
    yield one
    one.stop()


def token(server: Server, name: str) -> str:
    body = json.dumps({"name": name}).encode()
    request = urllib.request.Request(
        f"{server.url}/demo/token", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=WAIT_S) as answer:
        minted: str = json.load(answer)["token"]
        return minted


@pytest.fixture
async def ear(server: Server) -> AsyncIterator[Client]:
    """Somebody in the lobby who hears what is said."""
    async with Client(server.url, token(server, "Ear"), timeout_s=WAIT_S) as client:
        await client.request("conversation:join", alias="lobby", create=True)
        yield client


async def heard(client: Client, text: str) -> dict[str, object]:
    async with asyncio.timeout(WAIT_S):
        async for event in client.events():
            if event["type"] == "message:created" and text in event["body"]["text"]:
                return event
    raise AssertionError("unreachable")


async def run_and_hear(server: Server, ear: Client, text: str, *command: str) -> None:
    env = {**os.environ, "TOKEN": token(server, "Reader"), "PYTHONPATH": str(ROOT)}
    process = await asyncio.create_subprocess_exec(*command, env=env, cwd=NODE_PLACE)
    try:
        event = await heard(ear, text)
        assert event["sender"] != ear.session["user"]
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_the_javascript_client_of_the_readme_talks(server: Server, ear: Client) -> None:
    if shutil.which("node") is None or not (NODE_PLACE / "node_modules").exists():
        required("Node and socket.io-client are not installed")
    source = block("js").replace("http://127.0.0.1:8080", server.url)
    where = ("--input-type=module", "--eval", source)
    await run_and_hear(server, ear, "Hello from guest", "node", *where)


async def test_the_python_client_of_the_readme_talks(server: Server, ear: Client) -> None:
    source = block("python").replace("http://127.0.0.1:8080", server.url)
    await run_and_hear(server, ear, "Hello from Python", sys.executable, "-c", source)
