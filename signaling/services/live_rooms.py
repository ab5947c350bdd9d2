"""The live Rooms of an app, for its server: on whatever node they are held."""

import asyncio
import logging
from typing import Any

from signaling.errors import Refused
from signaling.ports import Broker, NodeRegistry
from signaling.services.participant import Participant, Room
from signaling.services.room_host import RoomHost

log = logging.getLogger(__name__)

TIMEOUT_S = 5.0
LIVE_ROOMS = "live_rooms"


class LiveRooms:
    """Asks every living node, this one among them; a Room is held by one of them."""

    def __init__(self, node: str, host: RoomHost, broker: Broker, registry: NodeRegistry) -> None:
        # passed in
        self._node = node
        self._host = host
        self._broker = broker
        self._registry = registry

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
        if body["verb"] == "list":
            held = [room for room in self._host.rooms.values() if room.app == body["app"]]
            return {"rooms": [_summary(room) for room in held]}
        room = self._host.rooms.get(f"{body['app']}/{body['room']}")
        if room is None:
            return {"held": False}
        if body["verb"] == "get":
            return {"held": True, **_view(room)}
        return {"held": True, **self._act(room, body)}

    def _act(self, room: Room, body: dict[str, Any]) -> dict[str, Any]:
        one = room.participants.get(body["participant"])
        if one is None:
            raise Refused("not_found", "no such participant")
        if body["verb"] == "remove":
            self._host.remove(room, one, "removed")
            return {"user": one.who.user}
        tracks = self._host.mute(room, one, body["track"], body["source"])
        return {"user": one.who.user, "tracks": tracks}


def _summary(room: Room) -> dict[str, Any]:
    return {"room": room.id, "participants": len(room.participants)}


def _view(room: Room) -> dict[str, Any]:
    return {"room": room.id, "participants": [_seat(one) for one in room.participants.values()]}


def _seat(one: Participant) -> dict[str, Any]:
    return {**one.to_wire(), "connected": one.connected}
