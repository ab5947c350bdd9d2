"""The Ledger in Redis. Times are Redis's own; keys:

seats:holders          sorted set: holder -> when it is forgotten
seats:{kind}:{key}     hash: holder -> how many it has; holders that are forgotten do not count
"""

from collections.abc import Sequence

from redis.asyncio import Redis

from signaling.adapters.redis_client import answering, script
from signaling.ports import Claim, Told

PERIOD_MS = 10_000
KEPT_MS = 3_600_000
"""A key nobody speaks of goes after so long."""


class RedisLedger:
    """Raises Refused unavailable when Redis does not answer."""

    def __init__(self, client: Redis, prefix: str, period_ms: int = PERIOD_MS) -> None:
        # passed in
        self._client = client
        self._prefix = f"{prefix}seats:"
        self._period_ms = period_ms
        # made here
        self._tell = script(client, "seats_tell")

    @property
    def _holders(self) -> str:
        return f"{self._prefix}holders"

    async def tell(self, holder: str, claims: Sequence[Claim]) -> Told:
        """One script, one crossing, whatever the number of claims."""
        keys = [self._holders, *(self._prefix + claim.key for claim in claims)]
        args: list[str | int] = [holder, self._period_ms, KEPT_MS]
        for claim in claims:
            args += (claim.held, claim.wanted, claim.limit)
        with answering():
            known, *granted = await self._tell(keys=keys, args=args)
        return Told(bool(known), [int(count) for count in granted])

    async def withdraw(self, holder: str) -> None:
        """What it said is taken out when somebody speaks of the same key, or goes by itself."""
        with answering():
            await self._client.zrem(self._holders, holder)
