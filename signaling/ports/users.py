"""People."""

from collections.abc import Sequence
from typing import Protocol

from signaling.model import Device


class Users(Protocol):
    """People, their devices, and whom they block."""

    async def seen(self, app: str, user: str, device: str, name: str | None, at: int) -> None:
        """Insert or refresh user and device. Raises Refused unauthorized: device revoked."""

    async def names(self, app: str, users: Sequence[str]) -> dict[str, str]: ...

    async def devices(self, app: str, user: str) -> list[Device]: ...

    async def revoke_device(self, app: str, user: str, device: str, at: int) -> bool:
        """The device may not connect again; False when there is none."""

    async def block(self, app: str, user: str, other: str, direct: str, most: int) -> None:
        """Set, and mark their direct conversation, in one transaction. Raises Refused
        quota_exceeded when `user` blocks `most` others already.
        """

    async def unblock(self, app: str, user: str, other: str, direct: str) -> None:
        """Clear, likewise."""

    async def blocked(self, app: str, by: str, user: str) -> bool:
        """Whether `by` blocks `user`."""

    async def blocks(self, app: str, user: str) -> list[str]: ...
