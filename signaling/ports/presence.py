"""Who is connected."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from signaling.model import Presence


class PresenceManager(Protocol):
    """Which devices of a user are connected, on any node. Entries expire unless touched."""

    async def put(
        self, app: str, user: str, device: str, connection: str, status: str, text: str | None
    ) -> bool:
        """Add or change one connection; True when what others see changed."""

    async def remove(self, app: str, user: str, connection: str) -> bool: ...

    async def touch(self, entries: Iterable[tuple[str, str, str]]) -> None:
        """Keep (app, user, connection) alive for another period."""

    async def get(self, app: str, users: Sequence[str]) -> list[Presence]: ...

    async def live(self, app: str, users: Sequence[str]) -> set[str]:
        """Those with a Connection, also when they do not want to be seen."""

    async def devices(self, app: str, users: Sequence[str]) -> dict[str, set[str]]:
        """The devices with a Connection of each, likewise."""

    async def expire(self) -> list[tuple[str, str]]:
        """(app, user) whose last connection ran out since the last call."""
