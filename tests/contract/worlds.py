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
PERIOD_MS = 600_000
"""What is kept for a while is kept for so long: longer than any test takes."""


class World(Protocol):
    def broker(self, node: str) -> Broker: ...

    def presence(self) -> PresenceManager: ...

    def registry(self) -> NodeRegistry: ...

    def ledger(self) -> Ledger: ...

    async def passes(self, ms: int) -> None:
        """Everything kept here is older by so much."""

    async def close(self) -> None: ...


class MemoryWorld:
    def __init__(self) -> None:
        self._bus = Bus()
        self._now_ms = 1_000_000

    def broker(self, node: str) -> Broker:
        return MemoryBroker(node, self._bus)

    def presence(self) -> PresenceManager:
        return MemoryPresence(PERIOD_MS, lambda: self._now_ms)

    def registry(self) -> NodeRegistry:
        return MemoryRegistry(PERIOD_MS, lambda: self._now_ms)

    def ledger(self) -> Ledger:
        return MemoryLedger(PERIOD_MS, lambda: self._now_ms)

    async def passes(self, ms: int) -> None:
        self._now_ms += ms

    async def close(self) -> None:
        """Memory needs none."""


class RedisWorld:
    def __init__(self, url: str, prefix: str) -> None:
        self.url = url
        self.prefix = prefix
        self._client = connect(url)

    def broker(self, node: str) -> Broker:
        return RedisBroker(self.url, node, KEY, self.prefix)

    def presence(self) -> PresenceManager:
        return RedisPresence(self._client, self.prefix, PERIOD_MS)

    def registry(self) -> NodeRegistry:
        return RedisRegistry(self._client, self.prefix, PERIOD_MS)

    def ledger(self) -> Ledger:
        return RedisLedger(self._client, self.prefix, PERIOD_MS)

    async def passes(self, ms: int) -> None:
        """Redis keeps its own time, so what is kept by it is moved into the past."""
        async for key in self._client.scan_iter(f"{self.prefix}*"):
            kind = await self._client.type(key)
            if kind == b"zset":
                await self._earlier(key, ms)
            elif kind == b"hash":
                await self._shorter(key, ms)
            left_ms = await self._client.pttl(key)
            if left_ms > 0:
                await self._client.pexpire(key, max(0, left_ms - ms))

    async def _earlier(self, key: bytes, ms: int) -> None:
        """Scores are when members run out."""
        for member in await self._client.zrange(key, 0, -1):
            await self._client.zincrby(key, -ms, member)

    async def _shorter(self, key: bytes, ms: int) -> None:
        """A connection ends with when it runs out."""
        for name, entry in (await self._client.hgetall(key)).items():
            if name.startswith(b"c:"):
                about, _, expires = entry.rpartition(b"\n")
                await self._client.hset(key, name, b"%b\n%d" % (about, int(expires) - ms))

    async def close(self) -> None:
        await self._client.aclose()
