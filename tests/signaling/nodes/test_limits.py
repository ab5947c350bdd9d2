"""A user's Connections, and an address's, are counted over all nodes, and only while they live."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import aiohttp
import pytest

from tests.nodes import two_nodes
from tests.signaling.gateway.peers import Peer, text
from tests.wire_client import WireClient, demo_token

FREE_S = 90.0
pytestmark = [pytest.mark.redis, pytest.mark.timeout(400)]


async def refusal(url: str, user: str) -> str:
    """The code of CONNECT_ERROR; empty for who is let in, and leaves again."""
    token = await asyncio.to_thread(demo_token, url, user)
    async with aiohttp.ClientSession() as session:
        ws = await Peer(url, session, "/socket.io/").opened()
        await ws.send_str("40" + json.dumps({"token": token, "device": "another"}))
        answer = await text(ws)
        await ws.close()
    return str(json.loads(answer[2:])["data"]["code"]) if answer.startswith("44") else ""


async def limited(url: str, user: str) -> None:
    """Wait until a user is refused: a node that Redis has kept waiting for a second, as on a busy
    machine, counts alone until it hears of it again.
    """
    async with asyncio.timeout(FREE_S):
        while (code := await refusal(url, user)) != "rate_limited":
            assert not code
            await asyncio.sleep(0.2)


async def free(url: str, user: str) -> None:
    """Wait until a user is let in: whoever left is told of."""
    async with asyncio.timeout(FREE_S):
        while await refusal(url, user):
            await asyncio.sleep(0.2)


async def handshake(url: str) -> int:
    """The status a stranger's first request is answered with."""

    def ask() -> int:
        try:
            with urlopen(f"{url}/socket.io/?EIO=4&transport=polling", timeout=FREE_S) as response:
                return int(response.status)
        except HTTPError as error:
            return error.code

    return await asyncio.to_thread(ask)


async def test_a_user_has_so_many_connections_over_all_nodes(tmp_path: Path) -> None:
    with two_nodes(tmp_path, TOKENIM_GATEWAY_MAX_CONNECTIONS_PER_USER="2") as nodes:
        first = await WireClient(nodes.one.url, "ann", "first").connect()
        second = await WireClient(nodes.two.url, "ann", "second").connect()
        for url in (nodes.one.url, nodes.two.url):
            await limited(url, "ann")
            assert await refusal(url, "bob") == ""
        await second.close()
        await free(nodes.one.url, "ann")
        nodes.redis.kill()
        await free(nodes.two.url, "ann")
        assert await refusal(nodes.two.url, "bob") == ""
        await first.close()


async def test_an_address_has_so_many_sockets_over_all_nodes(tmp_path: Path) -> None:
    with two_nodes(tmp_path, TOKENIM_GATEWAY_MAX_CONNECTIONS_PER_ADDRESS="2") as nodes:
        first = await WireClient(nodes.one.url, "ann").connect()
        second = await WireClient(nodes.two.url, "bob").connect()
        async with asyncio.timeout(FREE_S):
            for url in (nodes.one.url, nodes.two.url):
                while await handshake(url) != 429:  # see `limited`
                    await asyncio.sleep(0.2)
        await second.close()
        async with asyncio.timeout(FREE_S):
            while await handshake(nodes.one.url) != 200:
                pass
        await first.close()


@pytest.mark.slow
async def test_what_a_dead_node_had_is_free_again(tmp_path: Path) -> None:
    with two_nodes(tmp_path, TOKENIM_GATEWAY_MAX_CONNECTIONS_PER_USER="1") as nodes:
        await WireClient(nodes.one.url, "ann").connect()
        await limited(nodes.two.url, "ann")
        nodes.one.kill()
        await free(nodes.two.url, "ann")
        nodes.one.start()
        await free(nodes.one.url, "ann")
