"""Callers of REST are told how they stand, and are stopped when they go too fast."""

import pytest
from aiohttp import ClientSession

from signaling.auth.registry import now_ms
from tests.conftest import MakeProcess
from tests.signaling.http.callers import Caller, server_of


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """No bucket fills while a slow machine asks."""
    now = now_ms()
    monkeypatch.setattr("signaling.guarding.now_ms", lambda: now)


async def test_every_answer_says_how_its_caller_stands(make_process: MakeProcess) -> None:
    process = await make_process(**{"limits.rest_rate": 10})
    async with ClientSession(process.url) as client:
        server, nobody = await server_of(process, client, "acme"), Caller(client, "")
        await server("GET", "/v1/app")
        before = int(server.headers["X-RateLimit-Remaining"])
        for path in ("/v1/app", "/v1/keys?limit=0", "/v1/users/none"):
            await server("GET", path)
            assert server.headers["X-RateLimit-Limit"] == "50"
            assert 0 <= int(server.headers["X-RateLimit-Reset"]) <= 5
        assert int(server.headers["X-RateLimit-Remaining"]) <= before
        for path in ("/v1/app", "/v1/nothing"):
            await nobody("GET", path)
            assert "X-RateLimit-Limit" in nobody.headers


async def test_who_is_too_fast_is_told_when_to_come_back(make_process: MakeProcess) -> None:
    process = await make_process(**{"limits.rest_rate": 0.3})
    async with ClientSession(process.url) as client:
        one, other = [await server_of(process, client, "acme") for _ in range(2)]
        statuses = [(await one("GET", "/v1/app"))[0] for _ in range(3)]
        assert 429 in statuses
        assert int(one.headers["Retry-After"]) > 0
        assert one.headers["X-RateLimit-Remaining"] == "0"
        assert one.headers["Content-Type"].startswith("application/problem+json")
        assert (await other("GET", "/v1/app"))[0] == 200


async def test_guessing_secrets_is_slow(make_process: MakeProcess) -> None:
    process = await make_process(**{"limits.address_rate": 0.5})
    async with ClientSession(process.url) as client:
        guesser = Caller(client, "Basic a2V5LW9uZTpndWVzcw==")
        statuses = [(await guesser("GET", "/v1/app"))[0] for _ in range(12)]
        assert statuses[0] == 401
        assert statuses[-1] == 429


async def test_keys_of_an_app_share_its_rate_and_others_are_spared(
    make_process: MakeProcess,
) -> None:
    process = await make_process(**{"limits.app_rate": 0.3})
    async with ClientSession(process.url) as client:
        one, other = [await server_of(process, client, name) for name in ("acme", "bolt")]
        statuses = [(await one("GET", "/v1/app"))[0] for _ in range(3)]
        assert 429 in statuses
        assert one.headers["X-RateLimit-Limit"] == "1"
        assert (await other("GET", "/v1/app"))[0] == 200


async def test_an_address_is_held_to_its_rate_whoever_asks(make_process: MakeProcess) -> None:
    process = await make_process(**{"limits.address_request_rate": 0.1})
    async with ClientSession(process.url) as client:
        both = [await server_of(process, client, name) for name in ("acme", "bolt")]
        statuses = [(await caller("GET", "/v1/app"))[0] for caller in both]
        assert statuses == [200, 429]
        assert both[1].headers["X-RateLimit-Remaining"] == "0"
