"""Token buckets that all nodes share, in Redis, by Redis's clock.

rate:{kind}:{key}      hash: tokens left, and when that was
"""

from redis.asyncio import Redis

from signaling.adapters.redis_client import answering, script


class RedisPot:
    """See signaling.shared_allowance.Pot."""

    def __init__(self, client: Redis, prefix: str) -> None:
        # passed in
        self._prefix = f"{prefix}rate:"
        # made here
        self._draw = script(client, "rate_draw")

    async def draw(
        self, kind: str, key: str, per_second: float, burst: float, most: int
    ) -> tuple[int, int, int]:
        """One script, one crossing."""
        with answering():
            taken, wait_ms, left = await self._draw(
                keys=[f"{self._prefix}{kind}:{key}"], args=[per_second, burst, most]
            )
        return int(taken), int(wait_ms), int(left)
