"""The registry opened by itself, for commands that run beside a server or without one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from signaling.adapters.sql import SqlApps, open_database
from signaling.auth.registry import Registry
from signaling.auth.sealing import MasterKey
from signaling.config import Settings, check_secrets


@asynccontextmanager
async def open_registry(settings: Settings) -> AsyncIterator[Registry]:
    """Raises ConfigError when there is no master key to seal secrets with."""
    check_secrets(settings)
    settings.storage.data_dir.mkdir(parents=True, exist_ok=True)
    database = await open_database(settings.database_url)
    try:
        yield Registry(SqlApps(database), MasterKey(settings.master_key))
    finally:
        await database.close()
