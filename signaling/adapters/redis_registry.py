"""The NodeRegistry in Redis. Times are Redis's own; keys:

nodes              sorted set: node -> when its announcement runs out
nodes:info         hash: node -> its info as JSON
claim:{room}       string with expiry: the node that holds the room
claims:{node}      set: the claims of a node, to withdraw them
"""

from collections.abc import Mapping

import msgspec
from redis.asyncio import Redis

from signaling.adapters.redis_client import answering, script

PERIOD_MS = 10_000


class RedisRegistry:
    """Raises Refused unavailable when Redis does not answer."""

    def __init__(self, client: Redis, prefix: str, period_ms: int = PERIOD_MS) -> None:
        # passed in
        self._prefix = prefix
        self._period_ms = period_ms
        # made here
        self._announce = script(client, "registry_announce")
        self._nodes = script(client, "registry_nodes")
        self._claim = script(client, "registry_claim")
        self._release = script(client, "registry_release")
        self._withdraw = script(client, "registry_withdraw")

    def _keys(self, *names: str) -> list[str]:
        return [self._prefix + name for name in names]

    async def announce(self, node: str, info: Mapping[str, str]) -> None:
        """Alive for another period."""
        with answering():
            await self._announce(
                keys=self._keys("nodes", "nodes:info"),
                args=[node, msgspec.json.encode(dict(info)), self._period_ms],
            )

    async def nodes(self) -> dict[str, dict[str, str]]:
        """Those whose period has not run out."""
        with answering():
            flat = await self._nodes(keys=self._keys("nodes", "nodes:info"))
        pairs = zip(flat[::2], flat[1::2], strict=True)
        return {
            node.decode(): msgspec.json.decode(info, type=dict[str, str]) for node, info in pairs
        }

    async def claim(self, room: str, node: str) -> str:
        """The holder; a claim by the holder itself keeps it for another period."""
        with answering():
            keys = self._keys(f"claim:{room}", f"claims:{node}")
            holder: bytes = await self._claim(keys=keys, args=[node, self._period_ms])
        return holder.decode()

    async def release(self, room: str, node: str) -> None:
        """Nothing happens when another node holds it."""
        with answering():
            await self._release(keys=self._keys(f"claim:{room}", f"claims:{node}"), args=[node])

    async def withdraw(self, node: str) -> None:
        """The announcement and every claim go."""
        with answering():
            keys = self._keys("nodes", "nodes:info", f"claims:{node}")
            await self._withdraw(keys=keys, args=[node])
