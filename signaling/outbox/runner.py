"""Keeps the outbox moving, on one node at a time."""

from typing import Protocol

from signaling.outbox.collector import Collector
from signaling.outbox.dispatcher import Dispatcher
from signaling.tasks import Tasks

CLAIM = "outbox"
PAUSE_S = 0.25
"""How long an idle reader waits before it looks again."""


class Claims(Protocol):
    """See ports.NodeRegistry."""

    async def claim(self, room: str, node: str) -> str:
        """The node that holds the name now."""


class OutboxRunner:
    """Collects and dispatches while this node holds the claim; another takes over when it dies."""

    def __init__(
        self, collector: Collector, dispatcher: Dispatcher, claims: Claims, node: str
    ) -> None:
        # passed in
        self._collector = collector
        self._dispatcher = dispatcher
        self._claims = claims
        self._node = node

    async def start(self, tasks: Tasks) -> None:
        """Begin; the tasks are `tasks`' to end."""
        await self._collector.begin()
        tasks.every(PAUSE_S, self.round, "outbox")

    async def round(self) -> None:
        """Work until nothing is left that can be done now."""
        if await self._claims.claim(CLAIM, self._node) != self._node:
            return
        while await self._collector.collect() + await self._dispatcher.dispatch():
            pass  # both wait for the database, so others get their turn

    def stats(self) -> dict[str, int]:
        """Counters for the metrics."""
        return {
            "queued_total": self._collector.queued_total,
            "delivered_total": self._dispatcher.delivered_total,
            "failed_total": self._dispatcher.failed_total,
            "dead_total": self._dispatcher.dead_total,
        }
