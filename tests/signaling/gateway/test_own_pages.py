"""Which pages are the server's own: those of its address, and those of its public URL."""

import json

import aiohttp
import pytest

from signaling.config import load
from signaling.gateway import GatewayConfig
from signaling.gateway.origins import origin_of
from tests.conftest import MakeProcess
from tests.signaling.gateway.peers import text


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Chat.example/", "https://chat.example"),
        ("https://chat.example:443", "https://chat.example"),
        ("http://chat.example:80/im", "http://chat.example"),
        ("https://chat.example:80", "https://chat.example:80"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("chat.example", ""),
        ("http://", ""),
    ],
)
def test_the_origin_of_a_url(url: str, origin: str) -> None:
    assert origin_of(url) == origin


def test_the_public_url_is_known_to_the_edge() -> None:
    assert load(env={}).edge == GatewayConfig()
    given = load(env={}, options={"http.public_url": "https://chat.example"})
    assert given.edge.public_url == "https://chat.example"


async def status_of(url: str, **headers: str) -> int:
    """Of a handshake; what is accepted is opened and closed."""
    address = f"{url}/socket.io/?EIO=4&transport=websocket"
    async with aiohttp.ClientSession() as session:
        try:
            async with session.ws_connect(address, headers=headers) as ws:
                assert "sid" in json.loads((await text(ws))[1:])
        except aiohttp.WSServerHandshakeError as error:
            return error.status
    return 101


async def test_a_proxys_pages_are_let_in_by_the_public_url(make_process: MakeProcess) -> None:
    """The proxy ends TLS and passes neither Host nor scheme on."""
    process = await make_process(**{"http.public_url": "https://chat.example/"})
    here = f"http://127.0.0.1:{process.server.port}"
    assert await status_of(here, Origin="https://chat.example") == 101
    assert await status_of(here, Origin=here) == 101
    assert await status_of(here, Origin="http://chat.example") == 403
    assert await status_of(here, Origin="https://evil.example") == 403


async def test_a_trusted_proxy_says_it_by_headers(make_process: MakeProcess) -> None:
    process = await make_process(**{"http.trusted_proxies": ("127.0.0.1",)})
    passed = {"Host": "chat.example", "X-Forwarded-Proto": "https,http"}
    assert await status_of(process.url, Origin="https://chat.example", **passed) == 101
    assert await status_of(process.url, Origin="http://chat.example", **passed) == 403
