"""What several nodes share, made for one test."""

from __future__ import annotations

from typing import Protocol

from signaling.adapters.memory_broker import Bus, MemoryBroker
from signaling.adapters.memory_presence import MemoryPresence
from signaling.adapters.memory_registry import MemoryRegistry
from signaling.adapters.memory_seats import MemoryLedger
from signaling.adapters.redis_broker import RedisBroker
from signaling.adapters.redis_client import connect
from signaling.adapters.redis_presence import RedisPresence
from signaling.adapters.redis_registry import RedisRegistry
from signaling.adapters.redis_seats import RedisLedger
from signaling.ports import Broker, Ledger, NodeRegistry, PresenceManager

KEY = b"k" * 32


class World(Protocol):
    def broker(self, node: str) -> Broker: ...

    def presence(self, ttl_ms: int = 60_000) -> PresenceManager: ...

    def registry(self, period_ms: int = 10_000) -> NodeRegistry: ...

    def ledger(self, period_ms: int = 10_000) -> Ledger: ...

    async def close(self) -> None: ...


class MemoryWorld:
    def __init__(self) -> None:
        self._bus = Bus()

    def broker(self, node: str) -> Broker:
        return MemoryBroker(node, self._bus)

    def presence(self, ttl_ms: int = 60_000) -> PresenceManager:
        return MemoryPresence(ttl_ms)

    def registry(self, period_ms: int = 10_000) -> NodeRegistry:
        return MemoryRegistry(period_ms)

    def ledger(self, period_ms: int = 10_000) -> Ledger:
        return MemoryLedger(period_ms)

    async def close(self) -> None:
        """Memory needs none."""


class RedisWorld:
    def __init__(self, url: str, prefix: str) -> None:
        self.url = url
        self.prefix = prefix
        self._client = connect(url)

    def broker(self, node: str) -> Broker:
        return RedisBroker(self.url, node, KEY, self.prefix)

    def presence(self, ttl_ms: int = 60_000) -> PresenceManager:
        return RedisPresence(self._client, self.prefix, ttl_ms)

    def registry(self, period_ms: int = 10_000) -> NodeRegistry:
        return RedisRegistry(self._client, self.prefix, period_ms)

    def ledger(self, period_ms: int = 10_000) -> Ledger:
        return RedisLedger(self._client, self.prefix, period_ms)

    async def close(self) -> None:
        await self._client.aclose()
