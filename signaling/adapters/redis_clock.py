"""The clock of a Redis server, to compare ours with."""

import redis.asyncio


async def time_s(url: str) -> float:
    """UTC seconds as Redis sees them. Raises redis.RedisError when it does not answer."""
    async with redis.asyncio.from_url(url, socket_timeout=3, socket_connect_timeout=3) as client:
        seconds, micros = await client.time()
        return float(seconds) + micros / 1e6
