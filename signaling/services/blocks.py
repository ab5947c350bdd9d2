"""Whom a user does not want to hear from."""

from collections.abc import Awaitable, Callable
from typing import Any

from msgspec.structs import replace

from signaling import ids
from signaling.errors import Refused
from signaling.model import Change, Identity, Scene
from signaling.ports import Conversations, Users
from signaling.protocol.conversations import BlockUser


class BlockService:
    """Answers `user:block` and `user:unblock`. A block silences the direct conversation both ways;
    in groups it changes nothing.
    """

    def __init__(self, users: Users, conversations: Conversations) -> None:
        self._users = users
        self._conversations = conversations
        # filled at composition
        self.on_block: list[Callable[[str, str], Awaitable[None]]] = []
        """Told (app, user) when a user blocks somebody."""

    async def block(self, who: Identity, request: BlockUser) -> dict[str, Any]:
        """`user:block`. Raises Refused bad_request."""
        return await self._put(who, request.user, on=True)

    async def unblock(self, who: Identity, request: BlockUser) -> dict[str, Any]:
        """`user:unblock`."""
        return await self._put(who, request.user, on=False)

    async def _put(self, who: Identity, other: str, *, on: bool) -> dict[str, Any]:
        if other == who.user:
            raise Refused("bad_request", "that is you")
        await self._users.block(who.app, who.user, other, on)
        await self._mark(who, other, on=on)
        if on:
            for told in self.on_block:
                await told(who.app, who.user)
        return {"blocked": await self._users.blocks(who.app, who.user)}

    async def _mark(self, who: Identity, other: str, *, on: bool) -> None:
        """The direct conversation knows it, so that sending needs no further look."""
        direct = ids.of("d", [who.app, *sorted((who.user, other))])

        def decide(scene: Scene) -> Change:
            by = set(scene.conversation.settings.get("blocked_by", ()))
            after = by | {who.user} if on else by - {who.user}
            settings = {**scene.conversation.settings, "blocked_by": sorted(after)}
            return Change(conversation=replace(scene.conversation, settings=settings))

        if await self._conversations.get(who.app, direct) is not None:
            await self._conversations.decide(who.app, direct, (), decide)
