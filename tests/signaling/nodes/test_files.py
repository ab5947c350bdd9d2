"""Files cross nodes that share the store they are kept in, and nothing else on disk."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.contract.databases import cluster
from tests.e2e.server import Server
from tests.nodes import UNHURRIED
from tests.postgres import Cluster
from tests.redis_server import RedisServer
from tests.wire_client import WireClient

__all__ = ["cluster"]

pytestmark = [pytest.mark.redis, pytest.mark.postgres, pytest.mark.timeout(300)]

CONTENT = os.urandom(900_000)
HALF = len(CONTENT) // 2
Nodes = tuple[Server, Server]


@pytest.fixture
def nodes(tmp_path: Path, cluster: Cluster) -> Iterator[Nodes]:
    """Each with a data directory of its own, as on two machines."""
    redis = RedisServer(tmp_path)
    redis.start()
    env = {
        **UNHURRIED,
        "TOKENIM_REDIS_URL": redis.url,
        "TOKENIM_DATABASE_URL": cluster.database(f"files_{tmp_path.name}".lower()),
        "TOKENIM_STORAGE_BLOBS_URL": f"file://{tmp_path / 'shared'}",
        "TOKENIM_MASTER_KEY": os.urandom(32).hex(),
    }
    one, two = (
        Server(tmp_path / name, module="tests.e2e.unhurried", TOKENIM_NODE=name, **env)
        for name in ("one", "two")
    )
    try:
        one.start()
        two.start()
        yield one, two
    finally:
        one.stop()
        two.stop()
        redis.kill()


async def put(client: WireClient, path: str, start: int, end: int) -> int:
    """Send bytes [start, end) to the client's node; the status."""
    headers = {
        "Authorization": f"Bearer {client.token}",
        "Content-Range": f"bytes {start}-{end - 1}/{len(CONTENT)}",
    }
    async with (
        ClientSession(client.url, headers=headers) as http,
        http.put(path, data=CONTENT[start:end]) as answer,
    ):
        return answer.status


async def got(client: WireClient, file: str) -> tuple[int, bytes]:
    """What the client's node has of a file."""
    fetched = await client.request("file:fetch", file=file, offset=0)
    async with ClientSession(client.url) as http, http.get(fetched["download_url"]) as answer:
        return answer.status, await answer.read()


async def test_a_file_sent_to_one_node_is_read_from_the_other(nodes: Nodes) -> None:
    ann = await WireClient(nodes[0].url, "ann").connect()
    bob = await WireClient(nodes[1].url, "bob").connect()
    joined = await ann.request("conversation:join", alias="hall", create=True)
    conversation = joined["conversation"]["id"]
    await bob.request("conversation:join", conversation=conversation)
    offered = await ann.request(
        "file:offer",
        conversation=conversation,
        client_id="f",
        name="f.bin",
        size=len(CONTENT),
        type="x/y",
        sha256=hashlib.sha256(CONTENT).hexdigest(),
    )
    assert await put(ann, offered["upload_url"], 0, HALF) == 308
    assert (await got(bob, offered["file"]))[0] == 503  # it is landing on the other node
    assert await put(ann, offered["upload_url"], HALF, len(CONTENT)) == 201
    await bob.until("file:ready", file=offered["file"])
    assert await got(bob, offered["file"]) == (200, CONTENT)
    assert "set storage.blobs_url" not in nodes[0].output
    await ann.close()
    await bob.close()
