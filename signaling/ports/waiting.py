"""What waits for its time."""

from typing import Protocol

from signaling.model import Scheduled


class Waiting(Protocol):
    """What waits for its time: messages to send, and messages to forget."""

    async def put(self, message: Scheduled, most: int) -> Scheduled:
        """Keep it, or give back the one with this client_id. Raises Refused: conflict, and
        quota_exceeded when `most` of this sender wait already.
        """

    async def find(self, app: str, sender: str, client_id: str) -> Scheduled | None:
        """The one that waits under this client_id."""

    async def due(self, now: int, limit: int) -> list[Scheduled]:
        """Those to be tried now: first those that have not been, oldest first."""

    async def put_off(self, message: str, until: int) -> None:
        """Not to be tried before; counts an attempt."""

    async def of(self, app: str, sender: str) -> list[Scheduled]: ...

    async def remove(self, message: str) -> bool: ...

    async def expire(self, now: int, limit: int) -> int:
        """Blank messages whose time is over, wherever their bodies are kept; how many."""
