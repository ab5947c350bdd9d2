"""A registry on a real database file, and a clock that tests turn."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from signaling.adapters.sql import SqlApps, open_database
from signaling.auth.registry import IssuedKey, Registry
from signaling.auth.sealing import MasterKey
from signaling.auth.tokens import Tokens
from tests.fresh import fresh

NOW_S = 1_800_000_000


class Clock:
    """Seconds that stand still until a test moves them."""

    def __init__(self) -> None:
        self.now_s = float(NOW_S)

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def master() -> MasterKey:
    return MasterKey("a master key of the tests, 0123456789")


@pytest.fixture
async def registry(tmp_path: Path, master: MasterKey) -> AsyncIterator[Registry]:
    database = await open_database(f"sqlite+aiosqlite:///{fresh(tmp_path / 'test.db')}")
    yield Registry(SqlApps(database), master)
    await database.close()


@pytest.fixture
async def key(registry: Registry) -> IssuedKey:
    await registry.create_app("Acme", "acme")
    return await registry.create_key("acme")


@pytest.fixture
def tokens(registry: Registry, clock: Clock) -> Tokens:
    return Tokens(registry, clock_s=clock)
