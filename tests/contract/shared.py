"""Fixtures of what nodes share: memory, and a real Redis."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.contract.worlds import MemoryWorld, RedisWorld, World
from tests.redis_server import RedisServer


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.redis)])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    made: World
    if request.param == "memory":
        made = MemoryWorld()
    else:
        server: RedisServer = request.getfixturevalue("redis_server")
        made = RedisWorld(server.url, f"{uuid.uuid4().hex}:")
    yield made
    await made.close()
