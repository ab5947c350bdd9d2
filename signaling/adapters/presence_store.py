"""Where is kept what outlives a User's Connections."""

from collections.abc import Sequence
from typing import Protocol

from signaling.adapters.presence_view import Kept


class PresenceStore(Protocol):
    """What Users said last, and when they went. Writes of one User are carried out in order."""

    async def read(self, app: str, names: Sequence[str]) -> dict[str, Kept]:
        """Those of whom there is something."""

    async def write(self, app: str, user: str, kept: Kept) -> None: ...


class NotKept:
    """A PresenceStore that ends with the process."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Kept] = {}

    async def read(self, app: str, names: Sequence[str]) -> dict[str, Kept]:
        """From a dict."""
        return {user: self._kept[app, user] for user in names if (app, user) in self._kept}

    async def write(self, app: str, user: str, kept: Kept) -> None:
        """Into it."""
        self._kept[app, user] = kept
