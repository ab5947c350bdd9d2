"""Pages of other origins: only those on the list, and only for REST."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from tests.conftest import MakeProcess

GOOD, BAD = "https://shop.example", "https://evil.example"


@pytest.fixture
async def client(make_process: MakeProcess) -> AsyncIterator[ClientSession]:
    process = await make_process(**{"gateway.origins": [GOOD]})
    async with ClientSession(process.url) as session:
        yield session


async def test_listed_pages_may_read_rest(client: ClientSession) -> None:
    async with client.get("/v1/conversations", headers={"Origin": GOOD}) as response:
        assert response.status == 401
        assert response.headers["Access-Control-Allow-Origin"] == GOOD
        assert "Origin" in response.headers["Vary"]
        assert "Access-Control-Allow-Credentials" not in response.headers


@pytest.mark.parametrize(
    ("path", "origin"), [("/v1/conversations", BAD), ("/v1/conversations", "null"), ("/", GOOD)]
)
async def test_nothing_else_is_let(client: ClientSession, path: str, origin: str) -> None:
    async with client.get(path, headers={"Origin": origin}) as response:
        assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize(("origin", "status"), [(GOOD, 204), (BAD, 405)])
async def test_preflights(client: ClientSession, origin: str, status: int) -> None:
    headers = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
    async with client.options("/v1/files/f_1", headers=headers) as response:
        assert response.status == status
        assert ("Access-Control-Allow-Methods" in response.headers) == (status == 204)
