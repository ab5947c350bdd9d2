"""Tenants and their keys."""

from collections.abc import Callable, Sequence
from typing import Protocol

from signaling.model import ApiKey, App, AuditEntry

ChangeApp = Callable[[App], tuple[App, AuditEntry]]
ChangeKey = Callable[[ApiKey | None], Sequence[tuple[ApiKey, AuditEntry]]]
"""Decide within the transaction: must not wait, and may run again."""


class Apps(Protocol):
    """Tenants and their keys."""

    async def create(self, app: App, entry: AuditEntry | None = None) -> App:
        """Raises Refused conflict when the id is taken. `entry` is written with it, or not at all,
        as everywhere here.
        """

    async def get(self, app: str) -> App | None: ...

    async def all(self) -> list[App]: ...

    async def change(self, app: str, change: ChangeApp) -> App:
        """Replace name and settings with what `change` makes of them, in one transaction with the
        reading; what it raises is raised. Raises Refused not_found.
        """

    async def put_key(self, key: ApiKey, entry: AuditEntry | None = None) -> None:
        """Insert or replace."""

    async def change_key(self, key: str, change: ChangeKey) -> None:
        """Put the keys that `change` makes of this one, likewise; None when there is no such."""

    async def key(self, key: str) -> ApiKey | None: ...

    async def keys(self, app: str) -> list[ApiKey]: ...
