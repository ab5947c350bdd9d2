"""Invitations."""

from typing import Protocol

from signaling.model import AuditEntry, Invite


class Invites(Protocol):
    """Invitations to conversations; `Change.invite` uses one."""

    async def put(self, invite: Invite, entry: AuditEntry) -> None:
        """Written down in the same transaction."""

    async def get(self, app: str, invite: str) -> Invite | None: ...

    async def of(self, conversation: str, now: int) -> list[Invite]:
        """Those that still work."""

    async def remove(self, invite: str, entry: AuditEntry) -> None:
        """It works no more; written down in the same transaction."""
