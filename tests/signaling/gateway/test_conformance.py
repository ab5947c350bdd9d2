"""The command that the protocols' own suites are run against."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.ports import free_port
from tests.signaling.gateway.peers import PATIENCE_S, Peer, text


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    """`python -m signaling.gateway.conformance --port N`, patient with who answers no PING."""
    port = free_port()
    command = [sys.executable, "-m", "signaling.gateway.conformance", "--port", str(port)]
    command += ["--ping-interval-ms", "124000", "--ping-timeout-ms", "119000"]
    command += ["--connect-timeout-ms", "99000"]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)
        assert b"Running on" in line
        async with aiohttp.ClientSession() as session:
            yield Peer(f"http://127.0.0.1:{port}", session, "/socket.io/")
    finally:
        process.terminate()
        await process.communicate()


async def test_the_command_serves_what_the_suites_expect(peer: Peer) -> None:
    status, body = await peer.request("GET", None, headers={"Origin": "https://any.example"})
    assert status == 200
    shake = json.loads(body[1:])
    assert (shake["pingInterval"], shake["pingTimeout"], shake["maxPayload"]) == (
        124_000,
        119_000,
        10**6,
    )
    assert shake["upgrades"] == ["websocket"]
    ws = await peer.opened()
    for space, prefix in (("/custom,", "/custom,"), ("", "")):
        await ws.send_str(f'40{space}{{"token":"t"}}')
        assert (await text(ws)).startswith(f'40{prefix}{{"sid"')
        assert await text(ws) == f'42{prefix}["auth",{{"token":"t"}}]'
        await ws.send_str(f'42{prefix}["message",1,[2]]')
        assert await text(ws) == f'42{prefix}["message-back",1,[2]]'
        await ws.send_str(f'42{prefix}7["message-with-ack",1,[2]]')
        assert await text(ws) == f"43{prefix}7[1,[2]]"
    await ws.close()
    engine = Peer(peer.base, peer.session, "/engine.io/")
    sid = await engine.open_polling()
    await engine.post(sid, "4hello")
    assert (await engine.get(sid))[1] == "4hello"
