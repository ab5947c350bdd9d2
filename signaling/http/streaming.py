"""WHIP and WHEP of this node: a user's token decides, and the node that holds the room answers."""

from media import MediaError, Rights
from media.whip import Action, Admission
from signaling.auth.tokens import Tokens
from signaling.errors import Refused
from signaling.ports import NodeRegistry
from signaling.services.rooms import Rooms

DEVICE = "whip"
REVIEW_S = 2.0
"""A stream has no socket to be cut: its token is judged again so often."""


class Admitting:
    """Judges the Bearer token of WHIP and WHEP requests."""

    def __init__(self, tokens: Tokens, rooms: Rooms, registry: NodeRegistry, node: str) -> None:
        # passed in
        self._tokens = tokens
        self._rooms = rooms
        self._registry = registry
        self._node = node

    async def __call__(self, token: str | None, action: Action, room: str) -> Admission:
        """The SFU's room and the rights. Raises MediaError: unauthorized, forbidden, not_found,
        unavailable."""
        try:
            return await self._admission(token, action, room)
        except Refused as refused:
            raise MediaError(refused.code, refused.message) from refused

    async def _admission(self, token: str | None, action: Action, room: str) -> Admission:
        claims = await self._tokens.verify(token)
        who = claims.identity("", claims.device or DEVICE)
        name, _ = await self._rooms.admit(who, room)
        grants = who.grants
        allowed = {"publish": grants.publish, "subscribe": grants.subscribe}.get(action, False)
        if not allowed:
            raise Refused("forbidden", f"the token does not allow to {action}")
        key = f"{who.app}/{name}"
        if await self._registry.claim(key, self._node) != self._node:
            raise Refused("unavailable", "another node holds this room")
        sources = None if grants.publish_sources is None else frozenset(grants.publish_sources)
        publish = action == "publish"
        return Admission(key, Rights(publish=publish, subscribe=not publish, sources=sources))
