"""What waits for its time."""

from typing import Protocol

from signaling.model import Scheduled


class Waiting(Protocol):
    """What waits for its time: messages to send, and messages to forget."""

    async def put(self, message: Scheduled) -> Scheduled:
        """Keep it, or give back the one with this client_id. Raises Refused conflict."""

    async def due(self, now: int, limit: int) -> list[Scheduled]: ...

    async def of(self, app: str, sender: str) -> list[Scheduled]: ...

    async def remove(self, message: str) -> bool: ...

    async def expire(self, now: int, limit: int) -> int:
        """Blank messages whose time is over, wherever their bodies are kept; how many."""
