"""Security headers on everything; forwarded headers from trusted peers only."""

import pytest
from aiohttp import web

from signaling.http import guards
from tests.signaling.http.conftest import Serving


async def whoami(request: web.Request) -> web.Response:
    return web.json_response({"remote": request.remote, "scheme": request.scheme})


@pytest.mark.parametrize("path", ["/who", "/nowhere"])
async def test_every_answer_is_guarded(serving: Serving, path: str) -> None:
    client = await serving([web.get("/who", whoami)])
    async with client.get(path) as response:
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        policy = response.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    ("trusted", "forwarded", "remote", "scheme"),
    [
        ((), "203.0.113.9", "127.0.0.1", "http"),
        (("10.0.0.0/8",), "203.0.113.9", "127.0.0.1", "http"),
        (("127.0.0.1",), "203.0.113.9", "203.0.113.9", "https"),
        (("127.0.0.1",), "6.6.6.6, 203.0.113.9", "203.0.113.9", "https"),
        (("127.0.0.1", "10.0.0.0/8"), "203.0.113.9, 10.1.1.1", "203.0.113.9", "https"),
        (("127.0.0.1",), "junk", "127.0.0.1", "https"),
        (("127.0.0.1",), "203.0.113.9, junk", "127.0.0.1", "https"),
        (("127.0.0.1",), "2001:db8::1", "2001:db8::1", "https"),
    ],
)
async def test_forwarded_headers_are_believed_from_trusted_peers_only(
    serving: Serving, trusted: tuple[str, ...], forwarded: str, remote: str, scheme: str
) -> None:
    client = await serving([web.get("/who", whoami)], trusted_proxies=trusted)
    headers = {"X-Forwarded-For": forwarded, "X-Forwarded-Proto": "https"}
    async with client.get("/who", headers=headers) as response:
        assert await response.json() == {"remote": remote, "scheme": scheme}


@pytest.mark.parametrize("said", ["https", "https,http", "https , http", "HTTPS"])
async def test_the_scheme_is_what_the_first_proxy_met(serving: Serving, said: str) -> None:
    client = await serving([web.get("/who", whoami)], trusted_proxies=("127.0.0.1",))
    async with client.get("/who", headers={"X-Forwarded-Proto": said}) as response:
        assert (await response.json())["scheme"] == "https"


async def test_a_scheme_that_is_none_is_ignored(serving: Serving) -> None:
    client = await serving([web.get("/who", whoami)], trusted_proxies=("127.0.0.1",))
    async with client.get("/who", headers={"X-Forwarded-Proto": "gopher"}) as response:
        assert (await response.json())["scheme"] == "http"


def test_a_proxy_is_an_address_or_a_network() -> None:
    with pytest.raises(ValueError, match="proxy"):
        guards.networks(["proxy.example"])
