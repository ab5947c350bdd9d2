"""One empty database per test, on every backend, at the newest schema."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from signaling.adapters.sql import Database, open_database
from tests.conftest import required
from tests.fresh import fresh
from tests.patience import patient
from tests.postgres import Cluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """One PostgreSQL for the session."""
    try:
        made = Cluster()
    except RuntimeError as error:
        required(str(error))
        raise
    yield made
    made.close()


@pytest.fixture(scope="session")
def newest(cluster: Cluster) -> str:
    """The name of a database at the newest schema, for copies."""
    url = cluster.database("newest")

    async def migrated() -> None:
        await (await open_database(url)).close()

    with patient(), ThreadPoolExecutor(1) as thread:  # which has no loop yet, unlike who asks first
        thread.submit(asyncio.run, migrated()).result()
    return "newest"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database in which nothing is."""
    if request.param == "sqlite":
        return f"sqlite:///{fresh(tmp_path / 'log.db')}"
    found: Cluster = request.getfixturevalue("cluster")
    return found.database("contract", request.getfixturevalue("newest"))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Open, closed again."""
    opened = await open_database(database_url)
    yield opened
    await opened.close()
