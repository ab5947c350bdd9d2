"""People."""

from collections.abc import Sequence
from typing import Protocol

from signaling.model import Device


class Users(Protocol):
    """People, their devices, and whom they block."""

    async def seen(
        self,
        app: str,
        user: str,
        device: str | None,
        name: str | None,
        at: int,
        *,
        issued_at: int = 0,
        label: str | None = None,
    ) -> None:
        """Insert or refresh user and device; `device` None is one that has no name and is not kept,
        `name` None leaves what the user is called. Raises Refused unauthorized: the device was
        signed out when the token, of `issued_at`, was there already.
        """

    async def names(self, app: str, users: Sequence[str]) -> dict[str, str]: ...

    async def devices(self, app: str, user: str) -> list[Device]: ...

    async def revoke_device(self, app: str, user: str, device: str, at: int) -> bool:
        """Refuse its tokens made until `at`; False when there is no such device."""

    async def block(self, app: str, user: str, other: str, direct: str, most: int) -> None:
        """Set, and mark their direct conversation, in one transaction. Raises Refused
        quota_exceeded when `user` blocks `most` others already.
        """

    async def unblock(self, app: str, user: str, other: str, direct: str) -> None:
        """Clear, likewise."""

    async def blocked(self, app: str, by: str, user: str) -> bool:
        """Whether `by` blocks `user`."""

    async def blocking(self, app: str, users: Sequence[str], other: str) -> list[str]:
        """Those of `users` who block `other`."""

    async def blocks(self, app: str, user: str) -> list[str]: ...
