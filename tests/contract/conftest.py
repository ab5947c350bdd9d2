"""Every suite here runs on every adapter of its port."""

from collections.abc import Iterator

import pytest

from tests.contract.databases import cluster, database, database_url, newest
from tests.contract.shared import redis_server, world
from tests.patience import patient

__all__ = ["cluster", "database", "database_url", "newest", "redis_server", "world"]


@pytest.fixture(autouse=True)
def patience_with_what_is_shared() -> Iterator[None]:
    with patient():
        yield
