"""The Broker within one process. Several brokers on one `Bus` stand for several nodes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from signaling.errors import Refused
from signaling.ports import Hint

OnHint = Callable[[str, Hint], None]
OnRequest = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]


class Bus:
    """What memory brokers of one process are plugged into."""

    def __init__(self) -> None:
        self.brokers: dict[str, MemoryBroker] = {}


class MemoryBroker:
    """Delivers within `publish`: when it returns, every listener has been called."""

    def __init__(self, node: str, bus: Bus | None = None) -> None:
        self._node = node
        self._bus = bus or Bus()
        self._topics: set[str] = set()
        self._on_hint: OnHint | None = None
        self._on_request: OnRequest | None = None

    async def start(
        self, on_hint: OnHint, on_request: OnRequest, on_gap: Callable[[], None]
    ) -> None:
        """Plug in. `on_gap` is never called: memory loses nothing."""
        self._on_hint, self._on_request = on_hint, on_request
        self._bus.brokers[self._node] = self

    async def close(self) -> None:
        """Unplug."""
        self._bus.brokers.pop(self._node, None)

    async def publish(self, topic: str, hint: Hint) -> None:
        """Call every listener, this node's own included."""
        for broker in list(self._bus.brokers.values()):
            broker.receive(topic, hint)

    def receive(self, topic: str, hint: Hint) -> None:
        """A hint from the bus."""
        if topic in self._topics and self._on_hint:
            self._on_hint(topic, hint)

    async def subscribe(self, topics: Iterable[str]) -> None:
        """Effective at once."""
        self._topics.update(topics)

    async def unsubscribe(self, topics: Iterable[str]) -> None:
        """Effective at once."""
        self._topics.difference_update(topics)

    async def request(
        self, node: str, verb: str, body: dict[str, Any], timeout_s: float
    ) -> dict[str, Any]:
        """Call the other broker's `on_request`."""
        other = self._bus.brokers.get(node)
        if other is None or other._on_request is None:
            raise Refused("unavailable", f"node {node} is away")
        try:
            async with asyncio.timeout(timeout_s):
                return await other._on_request(verb, body)
        except TimeoutError:
            raise Refused("timeout", f"node {node} did not answer") from None
