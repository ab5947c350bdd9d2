"""WHIP and WHEP of this node: a user's token decides, and the node that holds the room answers."""

from dataclasses import dataclass
from typing import Any

from media import MediaError, Rights
from media.whip import Action, Admission, Session, Whip
from signaling.auth.tokens import Tokens
from signaling.errors import Refused
from signaling.model import Identity
from signaling.ports import NodeRegistry
from signaling.services.rooms import Rooms

DEVICE = "whip"
REVIEW_S = 2.0
"""A stream has no socket to be cut: its token is judged again so often."""


@dataclass(frozen=True, slots=True)
class Streamer:
    """Whose session it is, and in which Room of their app."""

    who: Identity
    room: str


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
        rights = Rights(publish=publish, subscribe=not publish, sources=sources)
        return Admission(key, rights, Streamer(who, name))


class HttpStream:
    """One session as a Participant; see services.live_rooms.Stream."""

    def __init__(self, whip: Whip, session: Session, streamer: Streamer) -> None:
        # passed in
        self._whip = whip
        self._session = session
        # made here
        self.room = streamer.room
        self.user = streamer.who.user
        self.id = session.participant
        self._streamer = streamer

    def view(self) -> dict[str, Any]:
        """As an operator sees it."""
        who = self._streamer.who
        return {
            "participant": self.id,
            "user": who.user,
            "device": who.device,
            "name": who.name,
            "attributes": {},
            "tracks": [_track(event) for event in self._session.tracks.values()],
            "connected": True,
            "via": self._session.kind,
        }

    async def end(self) -> None:
        """Its client is not told: its media stops."""
        await self._whip.end(self._session)

    def mute(self, track: str | None, source: str | None) -> list[str]:
        """One track, those of a source, or all; which."""
        muted = [
            event.track
            for event in self._session.tracks.values()
            if track in (None, event.track) and source in (None, event.source)
        ]
        for name in muted:
            self._whip.mute(self._session, name)
        return muted


class HttpStreams:
    """See services.live_rooms.Streams."""

    def __init__(self, whip: Whip) -> None:
        self._whip = whip

    def of(self, app: str) -> list[HttpStream]:
        """Every session of an app here."""
        return [
            HttpStream(self._whip, session, session.tag)
            for session in self._whip.sessions.all()
            if isinstance(session.tag, Streamer) and session.tag.who.app == app
        ]


def _track(event: Any) -> dict[str, Any]:
    return {name: getattr(event, name) for name in ("track", "kind", "source", "muted")}
