"""Whom a user does not want to hear from."""

from collections.abc import Awaitable, Callable
from typing import Any

from signaling.errors import Refused
from signaling.model import Identity
from signaling.ports import Users
from signaling.protocol.conversations import BlockUser
from signaling.services.creating import direct_id
from signaling.services.limits import Limits


class BlockService:
    """Answers `user:block` and `user:unblock`. A block silences the direct conversation both ways,
    and keeps who is blocked from putting the blocker into groups; in groups that both are in it
    changes nothing.
    """

    def __init__(self, users: Users, limits: Limits) -> None:
        self._users = users
        self._limits = limits
        # filled at composition
        self.on_block: list[Callable[[str, str], Awaitable[None]]] = []
        """Told (app, user) when a user blocks somebody."""

    async def block(self, who: Identity, request: BlockUser) -> dict[str, Any]:
        """`user:block`. Raises Refused: bad_request, quota_exceeded."""
        self._check(who, request.user)
        direct = direct_id(who.app, who.user, request.user)
        await self._users.block(who.app, who.user, request.user, direct, self._limits.blocks)
        for told in self.on_block:
            await told(who.app, who.user)
        return await self._blocked(who)

    async def unblock(self, who: Identity, request: BlockUser) -> dict[str, Any]:
        """`user:unblock`."""
        self._check(who, request.user)
        direct = direct_id(who.app, who.user, request.user)
        await self._users.unblock(who.app, who.user, request.user, direct)
        return await self._blocked(who)

    def _check(self, who: Identity, other: str) -> None:
        if other == who.user:
            raise Refused("bad_request", "that is you")

    async def _blocked(self, who: Identity) -> dict[str, Any]:
        return {"blocked": await self._users.blocks(who.app, who.user)}
