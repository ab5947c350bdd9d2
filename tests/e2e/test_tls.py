"""The whole thing over TLS: sockets that are taken over from aiohttp are encrypted ones here."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
import socketio

from tests.e2e.server import Server

# On the long loop: a closed TLS session says goodbye a little longer than its test lasts.
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="session"),
]

WAIT_S = 60
TURNS = 100
"""Of the loop, in which what was closed is gone."""
LONG = "long " * 5000
"""Of several TLS records."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[Server]:
    one = Server(data, options=("--tls", "self"))
    one.start()
    yield one
    one.stop()


@pytest.fixture
def trust(server: Server, data: Path) -> ssl.SSLContext:
    """In this server's certificate and no other."""
    (certificate,) = data.rglob("tls-self.crt")
    return ssl.create_default_context(cafile=certificate)


@pytest_asyncio.fixture(loop_scope="session")
async def session(trust: ssl.SSLContext) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust)) as made:
        yield made
    for _ in range(TURNS):
        await asyncio.sleep(0)


@asynccontextmanager
async def arrived(
    server: Server, session: aiohttp.ClientSession, name: str, *transports: str
) -> AsyncIterator[tuple[socketio.AsyncClient, asyncio.Queue[dict[str, Any]]]]:
    """A stock client with a session, and the messages it is told of."""
    async with session.post(f"{server.url}/demo/token", json={"name": name}) as answer:
        token = (await answer.json())["token"]
    client = socketio.AsyncClient(http_session=session)
    ready, told = asyncio.Event(), asyncio.Queue[dict[str, Any]]()
    client.on("session:ready", lambda _: ready.set())
    client.on("message:created", told.put_nowait)
    given = {"auth": {"token": token}, "transports": list(transports) or None}
    await client.connect(server.url, **given, wait_timeout=WAIT_S)
    async with asyncio.timeout(WAIT_S):
        await ready.wait()
    yield client, told
    await client.disconnect()


@pytest.mark.parametrize("transports", [("websocket",), ()], ids=["at once", "by an upgrade"])
async def test_a_socket_over_tls(
    server: Server, session: aiohttp.ClientSession, transports: tuple[str, ...]
) -> None:
    assert server.url.startswith("https://")
    async with (
        arrived(server, session, "Ann", *transports) as (ann, _),
        arrived(server, session, "Bob", *transports) as (bob, told),
    ):
        assert {ann.transport(), bob.transport()} == {"websocket"}
        joined = await ann.call(
            "conversation:join", {"alias": f"lobby-{len(transports)}", "create": True}
        )
        place = joined["conversation"]["id"]
        await bob.call("conversation:join", {"conversation": place})
        for number in range(20):
            message = {"type": "text", "body": {"text": f"{number} {LONG}"}}
            sent = {"conversation": place, "client_id": str(number), **message}
            assert (await ann.call("message:send", sent))["ok"]
        async with asyncio.timeout(WAIT_S):
            texts = [(await told.get())["body"]["text"] for _ in range(20)]
        assert texts == [f"{number} {LONG}" for number in range(20)]
