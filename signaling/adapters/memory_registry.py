"""The NodeRegistry within one process; share one object between nodes."""

import time
from collections.abc import Callable, Mapping

PERIOD_MS = 10_000


class MemoryRegistry:
    """Announcements and claims with the time they run out."""

    def __init__(
        self,
        period_ms: int = PERIOD_MS,
        now_ms: Callable[[], float] = lambda: time.monotonic() * 1000,
    ) -> None:
        self._period_ms = period_ms
        self._now_ms = now_ms
        self._nodes: dict[str, tuple[float, dict[str, str]]] = {}
        self._claims: dict[str, tuple[float, str]] = {}
        self._pruned_at = float("-inf")

    async def announce(self, node: str, info: Mapping[str, str]) -> None:
        """Alive for another period."""
        self._nodes[node] = (self._now_ms() + self._period_ms, dict(info))

    async def nodes(self) -> dict[str, dict[str, str]]:
        """Those whose period has not run out."""
        now = self._now_ms()
        self._nodes = {node: entry for node, entry in self._nodes.items() if entry[0] > now}
        return {node: info for node, (_, info) in self._nodes.items()}

    async def claim(self, room: str, node: str) -> str:
        """The holder; a claim by the holder itself keeps it for another period."""
        now = self._now_ms()
        self._prune(now)
        expires, holder = self._claims.get(room, (0.0, ""))
        if expires > now and holder != node:
            return holder
        self._claims[room] = (now + self._period_ms, node)
        return node

    def _prune(self, now: float) -> None:
        """Forget what ran out, once a period: a room that is over is never asked for again."""
        if now - self._pruned_at >= self._period_ms:
            self._pruned_at = now
            self._claims = {room: claim for room, claim in self._claims.items() if claim[0] > now}

    async def release(self, room: str, node: str) -> None:
        """Nothing happens when another node holds it."""
        if self._claims.get(room, (0.0, ""))[1] == node:
            del self._claims[room]

    async def withdraw(self, node: str) -> None:
        """The announcement and every claim go."""
        self._nodes.pop(node, None)
        self._claims = {room: claim for room, claim in self._claims.items() if claim[1] != node}
