"""Tenants and their keys."""

from typing import Protocol

from signaling.model import ApiKey, App, AuditEntry


class Apps(Protocol):
    """Tenants and their keys."""

    async def create(self, app: App, entry: AuditEntry | None = None) -> App:
        """Raises Refused conflict when the id is taken. `entry` is written with it, or not at all,
        as everywhere here.
        """

    async def get(self, app: str) -> App | None: ...

    async def all(self) -> list[App]: ...

    async def update(self, app: App, entry: AuditEntry | None = None) -> None:
        """Replace name and settings. Raises Refused not_found."""

    async def put_key(self, key: ApiKey, entry: AuditEntry | None = None) -> None:
        """Insert or replace (revoking sets revoked_at)."""

    async def key(self, key: str) -> ApiKey | None: ...

    async def keys(self, app: str) -> list[ApiKey]: ...
