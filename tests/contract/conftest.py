"""Every suite here runs on every adapter of its port."""

from tests.contract.databases import cluster, database, database_url

__all__ = ["cluster", "database", "database_url"]
