"""What nodes share, in Redis."""

from redis.asyncio import Redis

from signaling.adapters.presence_store import PresenceStore
from signaling.adapters.redis_broker import RedisBroker
from signaling.adapters.redis_client import connect
from signaling.adapters.redis_presence import RedisPresence
from signaling.adapters.redis_rates import RedisPot
from signaling.adapters.redis_registry import RedisRegistry
from signaling.adapters.redis_seats import RedisLedger


class RedisShared:
    """Broker, presence, registry, rates and seats of one node, over three connections or so."""

    def __init__(
        self, url: str, node: str, key: bytes, prefix: str, presences: PresenceStore
    ) -> None:
        """`key` signs what nodes say to each other; the same on all of them."""
        self._client: Redis = connect(url)
        self.broker = RedisBroker(url, node, key, prefix)
        self.presence = RedisPresence(self._client, prefix, store=presences)
        self.registry = RedisRegistry(self._client, prefix)
        self.pot = RedisPot(self._client, prefix)
        self.ledger = RedisLedger(self._client, prefix)

    async def check(self) -> None:
        """Raises redis.RedisError or OSError when Redis does not answer."""
        await self._client.ping()

    async def close(self) -> None:
        """After the broker's own `close`."""
        await self._client.aclose()
