"""Every suite here runs on every adapter of its port."""

from tests.contract.databases import cluster, database, database_url, newest
from tests.contract.shared import redis_server, world

__all__ = ["cluster", "database", "database_url", "newest", "redis_server", "world"]
