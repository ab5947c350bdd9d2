"""The registry opened by itself, for commands that run beside a server or without one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from signaling.adapters.sql import Database, SqlApps, SqlRevocations, open_database
from signaling.adapters.sql.audit import SqlAudit
from signaling.audit.trail import Trail
from signaling.auth.registry import OPERATOR, Registry, now_ms
from signaling.auth.revocation import KEPT_MS, Revocation
from signaling.auth.sealing import MasterKey
from signaling.config import Settings, check_secrets
from signaling.errors import Refused
from signaling.model import ApiKey


class BesideRegistry(Registry):
    """Servers that run read what it revokes, and cut the sockets."""

    def __init__(self, database: Database, master: MasterKey) -> None:
        super().__init__(SqlApps(database), master)
        # made here
        self._revocations = SqlRevocations(database)
        self._trail = Trail(SqlAudit(database), now_ms)

    async def minted(self, key: str, user: str, **allowed: Any) -> None:
        """Write a token down: what it allows, not the token."""
        signer = await self.live_key(key)
        if signer is None:
            raise Refused("not_found", f"no key {key!r}")
        await self._trail.note(signer.app, OPERATOR, "token:minted", user, key=key, **allowed)

    async def revoke_key(self, key: str, app: str | None = None, by: str = OPERATOR) -> ApiKey:
        """See Registry."""
        ended = await super().revoke_key(key, app, by)
        now = now_ms()
        await self._revocations.put(Revocation(app=ended.app, at=now, key=key), now + KEPT_MS)
        return ended


@asynccontextmanager
async def open_registry(settings: Settings) -> AsyncIterator[BesideRegistry]:
    """Raises ConfigError when there is no master key to seal secrets with."""
    check_secrets(settings)
    settings.storage.data_dir.mkdir(parents=True, exist_ok=True)
    database = await open_database(settings.database_url)
    try:
        yield BesideRegistry(database, MasterKey(settings.master_key))
    finally:
        await database.close()
