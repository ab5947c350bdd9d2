"""The live Rooms of an app, for its server: on whatever node they are held."""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from typing import Any, Protocol

from signaling.errors import Refused
from signaling.ports import Broker, NodeRegistry
from signaling.services.participant import Participant, Room
from signaling.services.room_host import RoomHost

log = logging.getLogger(__name__)

TIMEOUT_S = 5.0
LIVE_ROOMS = "live_rooms"


class Stream(Protocol):
    """A Participant without a Connection: it came by HTTP."""

    id: str
    room: str
    user: str

    def view(self) -> dict[str, Any]:
        """As `_seat` says it of others."""

    async def end(self) -> None: ...

    def mute(self, track: str | None, source: str | None) -> list[str]:
        """One track, those of a source, or all; which."""


class Streams(Protocol):
    """Those of this node."""

    def of(self, app: str) -> Sequence[Stream]: ...


class NoStreams:
    """There are none."""

    def of(self, app: str) -> Sequence[Stream]:
        """Nothing."""
        return ()


class LiveRooms:
    """Asks every living node, this one among them; a Room is held by one of them."""

    def __init__(self, node: str, host: RoomHost, broker: Broker, registry: NodeRegistry) -> None:
        # passed in
        self._node = node
        self._host = host
        self._broker = broker
        self._registry = registry
        # filled at composition
        self.streams: Streams = NoStreams()

    async def all(self, app: str) -> list[dict[str, Any]]:
        """By name: `{room, participants: how many}`."""
        found = [one for answer in await self._everywhere("list", app) for one in answer["rooms"]]
        return sorted(found, key=lambda one: str(one["room"]))

    async def one(self, app: str, room: str) -> dict[str, Any]:
        """`{room, participants: [...]}`. Raises Refused not_found."""
        return await self._holder("get", app, room=room)

    async def remove(self, app: str, room: str, participant: str) -> dict[str, Any]:
        """Put one out; `{user}`. Raises Refused not_found."""
        return await self._holder("remove", app, room=room, participant=participant)

    async def mute(
        self, app: str, room: str, participant: str, track: str | None, source: str | None
    ) -> dict[str, Any]:
        """One track, those of a source, or all; `{tracks, user}`. Raises Refused not_found."""
        which = {"track": track, "source": source}
        return await self._holder("mute", app, room=room, participant=participant, **which)

    async def _holder(self, verb: str, app: str, **about: Any) -> dict[str, Any]:
        for answer in await self._everywhere(verb, app, **about):
            if answer.pop("held", False):
                return answer
        raise Refused("not_found", "nobody is in this room")

    async def _everywhere(self, verb: str, app: str, **about: Any) -> list[dict[str, Any]]:
        nodes = {self._node, *await self._registry.nodes()}
        body = {"verb": verb, "app": app, **about}
        answers = await asyncio.gather(*(self._at(node, body) for node in sorted(nodes)))
        return [answer for answer in answers if answer is not None]

    async def _at(self, node: str, body: dict[str, Any]) -> dict[str, Any] | None:
        if node == self._node:
            return await self.asked(body)
        try:
            return await self._broker.request(node, LIVE_ROOMS, body, TIMEOUT_S)
        except Refused as refused:
            if not refused.retryable:
                raise
            log.warning("node %s did not say which rooms it holds: %s", node, refused.message)
            return None

    # on the node that holds them

    async def asked(self, body: dict[str, Any]) -> dict[str, Any]:
        """This node's part of an answer. Raises Refused not_found for a Participant."""
        app = body["app"]
        if body["verb"] == "list":
            return {"rooms": self._summaries(app)}
        room = self._host.rooms.get(f"{app}/{body['room']}") or Room(app, body["room"])
        streams = [one for one in self.streams.of(app) if one.room == room.id]
        if not room.participants and not streams:
            return {"held": False}
        if body["verb"] == "get":
            return {"held": True, **_view(room, streams)}
        for stream in streams:
            if stream.id == body["participant"]:
                return {"held": True, **await _act_on_stream(stream, body)}
        return {"held": True, **self._act(room, body)}

    def _summaries(self, app: str) -> list[dict[str, Any]]:
        count = Counter(one.room for one in self.streams.of(app))
        for room in self._host.rooms.values():
            if room.app == app:
                count[room.id] += len(room.participants)
        return [{"room": room, "participants": many} for room, many in count.items()]

    def _act(self, room: Room, body: dict[str, Any]) -> dict[str, Any]:
        one = room.participants.get(body["participant"])
        if one is None:
            raise Refused("not_found", "no such participant")
        if body["verb"] == "remove":
            self._host.remove(room, one, "removed")
            return {"user": one.who.user}
        tracks = self._host.mute(room, one, body["track"], body["source"])
        return {"user": one.who.user, "tracks": tracks}


async def _act_on_stream(stream: Stream, body: dict[str, Any]) -> dict[str, Any]:
    if body["verb"] == "remove":
        await stream.end()
        return {"user": stream.user}
    return {"user": stream.user, "tracks": stream.mute(body["track"], body["source"])}


def _view(room: Room, streams: Sequence[Stream]) -> dict[str, Any]:
    seats = [_seat(one) for one in room.participants.values()]
    return {"room": room.id, "participants": [*seats, *(one.view() for one in streams)]}


def _seat(one: Participant) -> dict[str, Any]:
    return {**one.to_wire(), "connected": one.connected, "via": "socket"}
