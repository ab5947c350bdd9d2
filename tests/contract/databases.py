"""One empty database per test, on every backend."""

import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from signaling.adapters.sql import Database, open_database
from tests.conftest import required
from tests.postgres import Cluster

_names = itertools.count(1)


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


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'log.db'}"
    found: Cluster = request.getfixturevalue("cluster")
    return found.database(f"contract_{next(_names)}")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Migrated, open, closed again."""
    opened = await open_database(database_url)
    yield opened
    await opened.close()
