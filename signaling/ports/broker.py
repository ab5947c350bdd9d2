"""Topics between nodes."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol

import msgspec


class Hint(msgspec.Struct, frozen=True, kw_only=True):
    """What travels over the Broker: an event for every Connection that listens to a topic."""

    event: str
    data: dict[str, Any]
    volatile: bool = False
    latest: str | None = None
    """Who is slow gets, once there is room, the newest of this name only."""
    exclude: str | None = None
    """A Connection that does not get it: the one that caused it."""
    device: str | None = None
    """On a user's topic: only this Device's Connections get it."""
    about: str | None = None
    """For the services that see it pass, not for sockets: what exactly it tells of."""


class Broker(Protocol):
    """Topics between nodes. At most once, in order per publisher and topic; losing one loses time
    only.
    """

    async def publish(self, topic: str, hint: Hint) -> None:
        """Never raises for a broker that is away: hints are lost then, and `on_gap` is called on
        return.
        """

    async def subscribe(self, topics: Iterable[str]) -> None: ...

    async def unsubscribe(self, topics: Iterable[str]) -> None: ...

    async def request(
        self, node: str, verb: str, body: dict[str, Any], timeout_s: float
    ) -> dict[str, Any]:
        """Ask another node. Raises Refused: unavailable, timeout, or what that node said."""

    async def start(
        self,
        on_hint: Callable[[str, Hint], None],
        on_request: Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]],
        on_gap: Callable[[], None],
    ) -> None: ...

    async def close(self) -> None: ...
