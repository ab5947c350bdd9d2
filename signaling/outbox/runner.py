"""Keeps the outbox moving, on one node at a time."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from signaling.outbox.lease import Lease

PAUSE_S = 0.25
"""How long an idle reader waits before it looks again."""

LOOK_S = 1.0
"""How long what is put off is left alone while nothing new came: retries wait longer than that."""
FULL = 200
"""A page of so many may have another behind it. Smaller ones are left to grow for a moment: on a
busy server each would otherwise be a commit among those that senders wait for.
"""

Collect = Callable[[], Awaitable[int]]
"""Queue a page of something; how much it was."""


class Dispatches(Protocol):
    """Sends what is queued."""

    async def dispatch(self) -> int:
        """Begin what is due; how much was begun."""

    async def settle(self, timeout_s: float) -> bool:
        """Wait until something ends, or the time is over; False when nothing is under way."""

    async def close(self) -> None:
        """Break off what is under way."""


class OutboxRunner:
    """Collects and dispatches while this node holds the lease; another takes over when it dies."""

    def __init__(self, collects: Sequence[Collect], dispatcher: Dispatches, lease: Lease) -> None:
        # passed in
        self._collects = collects
        self._dispatcher = dispatcher
        self._lease = lease
        # made here
        self._looked_at = 0.0

    async def round(self) -> None:
        """Work until nothing is left that can be done now."""
        look = time.monotonic() - self._looked_at >= LOOK_S
        while await self._lease.held():
            moved = max([await collect() for collect in self._collects], default=0)
            begun = 0
            if moved or look:
                self._looked_at = time.monotonic()
                begun = await self._dispatcher.dispatch()
            look = True
            if begun or moved >= FULL:
                continue  # all of it waits for the database, so others get their turn
            if not await self._dispatcher.settle(PAUSE_S):
                return

    async def close(self) -> None:
        """Let another node go on at once."""
        await self._dispatcher.close()
        await self._lease.release()
