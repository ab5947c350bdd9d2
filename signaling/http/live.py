"""REST over what goes on now, by API key: live Rooms, and who is here."""

from typing import Any

import msgspec
from aiohttp import web

from signaling.audit.trail import Trail
from signaling.errors import Refused
from signaling.http import paging
from signaling.http.bodies import read_struct
from signaling.http.callers import Callers
from signaling.model import ApiKey
from signaling.ports import PresenceManager
from signaling.protocol.live import (
    LiveRoomView,
    MutedView,
    MuteWish,
    PresenceView,
    RemovedView,
    RoomView,
)
from signaling.services.live_rooms import LiveRooms

PARTICIPANT = "/v1/rooms/{room}/participants/{participant}"


class LiveRoutes:
    """`/v1/rooms` and `/v1/users/{user}/presence`; without media there are no rooms."""

    def __init__(
        self, callers: Callers, rooms: LiveRooms | None, presence: PresenceManager, trail: Trail
    ) -> None:
        # passed in
        self._callers = callers
        self._live = rooms
        self._presence = presence
        self._trail = trail

    def routes(self) -> list[web.RouteDef]:
        """All of them."""
        return [
            web.get("/v1/rooms", self.rooms),
            web.get("/v1/rooms/{room}", self.room),
            web.delete(PARTICIPANT, self.remove),
            web.post(PARTICIPANT + "/mute", self.mute),
            web.get("/v1/users/{user}/presence", self.presence),
        ]

    async def rooms(self, request: web.Request) -> web.Response:
        """The app's Rooms that somebody is in, by name."""
        key = await self._callers.key(request, "read")
        found = [] if self._live is None else await self._live.all(key.app)
        rows, following = paging.slice_of(request, found, lambda row: str(row["room"]))
        views = msgspec.convert(rows, list[LiveRoomView])
        return _json({"rooms": views, "next": following})

    async def room(self, request: web.Request) -> web.Response:
        """One, and who is in it. Raises Refused not_found."""
        key = await self._callers.key(request, "read")
        found = await self._rooms().one(key.app, request.match_info["room"])
        return _json(msgspec.convert(found, RoomView))

    async def remove(self, request: web.Request) -> web.Response:
        """Put a Participant out. Raises Refused not_found."""
        key = await self._callers.key(request, "write")
        room, participant = request.match_info["room"], request.match_info["participant"]
        gone = await self._rooms().remove(key.app, room, participant)
        await self._note(key, request, "participant:removed", gone["user"])
        return _json(RemovedView(participant=participant, user=gone["user"]))

    async def mute(self, request: web.Request) -> web.Response:
        """Mute a Participant's tracks. Raises Refused not_found."""
        key = await self._callers.key(request, "write")
        wish = await read_struct(request, MuteWish)
        room, participant = request.match_info["room"], request.match_info["participant"]
        muted = await self._rooms().mute(key.app, room, participant, wish.track, wish.source)
        tracks = muted["tracks"]
        await self._note(key, request, "participant:muted", muted["user"], tracks=tracks)
        return _json(MutedView(tracks=tracks))

    async def presence(self, request: web.Request) -> web.Response:
        """How a user is seen; whoever never came is offline."""
        key = await self._callers.key(request, "read")
        (found,) = await self._presence.get(key.app, [request.match_info["user"]])
        view = PresenceView(
            user=found.user,
            status=found.status,
            text=found.text,
            last_seen=found.last_seen,
            devices=found.devices,
        )
        return _json(view)

    def _rooms(self) -> LiveRooms:
        if self._live is None:
            raise Refused("not_found", "this server holds no rooms")
        return self._live

    async def _note(
        self, key: ApiKey, request: web.Request, action: str, user: str, **details: Any
    ) -> None:
        known = {name: request.match_info[name] for name in ("room", "participant")}
        await self._trail.note(key.app, f"key:{key.id}", action, user, **known, **details)


def _json(body: Any) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), content_type="application/json")
