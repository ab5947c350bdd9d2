"""Rooms as clients ask for them: who may enter, and which node holds the media."""

import logging
from collections.abc import Iterable
from typing import Any, Protocol

import msgspec

from signaling import ids
from signaling.audit.trail import Note, actor_of, unnoted
from signaling.auth.grants import allows_room
from signaling.errors import Refused
from signaling.model import Conversation, Identity, Member
from signaling.ports import Broker, Clock, Connections, Hint, NodeRegistry
from signaling.protocol import rooms as wire
from signaling.services.participant import Caller
from signaling.services.room_host import RoomHost
from signaling.services.seat import Seat
from signaling.tasks import Tasks

log = logging.getLogger(__name__)

WATCH_S = 2.5
"""How often claims are renewed and other nodes looked at."""
MISSES_MAX = 2
"""A node not announced this many times in a row is dead."""
REQUEST_TIMEOUT_S = 8.0
MODERATORS = frozenset({"owner", "admin"})

REQUESTS: dict[str, type[msgspec.Struct]] = {
    "join": wire.RoomJoin,
    "leave": wire.RoomLeave,
    "lost": wire.RoomLeave,
    "publish": wire.MediaPublish,
    "answer": wire.MediaAnswer,
    "candidate": wire.MediaCandidate,
    "restart": wire.MediaRestart,
    "track": wire.TrackUpdate,
    "subscription": wire.SubscriptionUpdate,
    "update": wire.ParticipantUpdate,
    "remove": wire.ParticipantRemove,
    "mute": wire.ParticipantMute,
    "send_file": wire.SendFile,
}
"""What nodes ask each other about Rooms."""


class Listening(Protocol):
    """How a Connection comes to hear a topic."""

    async def listen(self, connection: str, topics: Iterable[str]) -> None:
        """From the return on it hears all."""

    async def unlisten(self, connection: str, topics: Iterable[str]) -> None:
        """It hears no more."""


class Members(Protocol):
    """Conversations and who is in them."""

    async def get(self, app: str, conversation: str) -> Conversation | None:
        """By id or alias."""

    async def member(self, conversation: str, user: str) -> Member | None:
        """One who has not left."""

    async def kept_out(self, conversation: str, user: str, now: int) -> bool:
        """Whether a user is banned from it."""


class Rooms:
    """Answers `room:*`, `media:*`, `track:*`, `subscription:*` and `participant:*`."""

    def __init__(
        self,
        *,
        node: str,
        host: RoomHost,
        broker: Broker,
        registry: NodeRegistry,
        listening: Listening,
        connections: Connections,
        members: Members,
        tasks: Tasks,
        clock: Clock,
    ) -> None:
        # passed in
        self._node = node
        self._host = host
        self._broker = broker
        self._registry = registry
        self._listening = listening
        self._sockets = connections
        self._members = members
        self._tasks = tasks
        self._clock = clock
        # filled at composition
        self.note: Note = unnoted
        # made here
        self._seats: dict[tuple[str, str], Seat] = {}
        self._misses: dict[str, int] = {}

    def start(self) -> None:
        """Keep claims, and notice dead nodes."""
        self._tasks.every(WATCH_S, self._watch, "watch rooms")

    # requests

    async def join(self, who: Identity, request: wire.RoomJoin) -> dict[str, Any]:
        """`room:join`. Raises Refused: not_found, forbidden, quota_exceeded, unavailable."""
        room, moderator = await self.admit(who, request.room)
        key = f"{who.app}/{room}"
        holder = await self._registry.claim(key, self._node)
        participant = ids.of("pt", [who.app, room, who.user, who.device])
        seat = Seat(who, room, participant, holder)
        known = self._seats.get((who.connection, key))
        self._seats[who.connection, key] = seat
        await self._listening.listen(who.connection, seat.topics)
        try:
            answer = await self._ask(seat, "join", request, moderator=moderator)
        except Refused:
            if known is None:
                await self._forget(seat)
            raise
        seat.stay = answer.pop("stay", "")
        return answer

    async def leave(self, who: Identity, request: wire.RoomLeave) -> dict[str, Any]:
        """`room:leave`."""
        seat = self._seat(who, request.room)
        await self._forget(seat)
        return await self._ask(seat, "leave", request)

    async def publish(self, who: Identity, request: wire.MediaPublish) -> dict[str, Any]:
        """`media:publish`: `{sdp, tracks: [{mid, track, kind, source}]}`."""
        return await self._ask(self._seat(who, request.room), "publish", request)

    async def answer(self, who: Identity, request: wire.MediaAnswer) -> dict[str, Any]:
        """`media:answer`."""
        return await self._ask(self._seat(who, request.room), "answer", request)

    async def candidate(self, who: Identity, request: wire.MediaCandidate) -> dict[str, Any]:
        """`media:candidate`."""
        return await self._ask(self._seat(who, request.room), "candidate", request)

    async def restart(self, who: Identity, request: wire.MediaRestart) -> dict[str, Any]:
        """`media:restart`."""
        return await self._ask(self._seat(who, request.room), "restart", request)

    async def update_track(self, who: Identity, request: wire.TrackUpdate) -> dict[str, Any]:
        """`track:update`."""
        return await self._ask(self._seat(who, request.room), "track", request)

    async def update_subscription(
        self, who: Identity, request: wire.SubscriptionUpdate
    ) -> dict[str, Any]:
        """`subscription:update`."""
        return await self._ask(self._seat(who, request.room), "subscription", request)

    async def update(self, who: Identity, request: wire.ParticipantUpdate) -> dict[str, Any]:
        """`participant:update`."""
        seat = self._seat(who, request.room)
        other = request.participant not in (None, seat.participant)
        moderator = other and await self._moderates(who, seat.room)
        return await self._ask(seat, "update", request, moderator=moderator)

    async def remove(self, who: Identity, request: wire.ParticipantRemove) -> dict[str, Any]:
        """`participant:remove`."""
        seat = self._seat(who, request.room)
        moderator = await self._moderates(who, seat.room)
        answer = await self._ask(seat, "remove", request, moderator=moderator)
        await self._noted(seat, "participant:removed", request.participant, answer.pop("user", ""))
        return answer

    async def mute(self, who: Identity, request: wire.ParticipantMute) -> dict[str, Any]:
        """`participant:mute`: `{tracks}` that are muted now."""
        seat = self._seat(who, request.room)
        moderator = await self._moderates(who, seat.room)
        answer = await self._ask(seat, "mute", request, moderator=moderator)
        user, tracks = answer.pop("user", ""), answer["tracks"]
        await self._noted(seat, "participant:muted", request.participant, user, tracks=tracks)
        return answer

    async def _noted(
        self, seat: Seat, action: str, participant: str, user: str, **details: Any
    ) -> None:
        """What a moderator did to another, for the trail."""
        if participant != seat.participant:
            known = {"room": seat.room, "participant": participant, **details}
            await self.note(seat.who.app, actor_of(seat.who), action, user, **known)

    # who may

    async def admit(self, who: Identity, room: str) -> tuple[str, bool]:
        """(the Room's own name, whether `who` moderates it). Raises Refused not_found."""
        conversation = await self._members.get(who.app, room)
        if conversation is not None:
            member = await self._members.member(conversation.id, who.user)
            if member is not None:
                return conversation.id, who.grants.admin or member.role in MODERATORS
            if await self._members.kept_out(conversation.id, who.user, self._clock()):
                raise Refused("forbidden", "you are banned from this conversation")
        if allows_room(who.grants, room):
            return (conversation.id if conversation else room), who.grants.admin
        raise Refused("not_found", "no such room, or it is not open to you")

    async def _moderates(self, who: Identity, room: str) -> bool:
        if who.grants.admin:
            return True
        conversation = await self._members.get(who.app, room)
        if conversation is None or conversation.id != room:  # A standalone one belongs to nobody.
            return False
        member = await self._members.member(room, who.user)
        return member is not None and member.role in MODERATORS

    # where to

    def _seat(self, who: Identity, room: str) -> Seat:
        seat = self._seats.get((who.connection, f"{who.app}/{room}"))
        if seat is None:
            raise Refused("not_found", "join the room first")
        seat.who = who
        return seat

    async def _ask(
        self, seat: Seat, verb: str, request: Any, *, moderator: bool = False
    ) -> dict[str, Any]:
        caller = Caller(
            who=seat.who,
            node=self._node,
            room=seat.room,
            participant=seat.participant,
            moderator=moderator,
        )
        if seat.holder == self._node:
            return await self._host.handle(verb, caller, request)
        body = {
            "verb": verb,
            "caller": msgspec.to_builtins(caller),
            "request": msgspec.to_builtins(request),
        }
        return await self._broker.request(seat.holder, "rooms", body, REQUEST_TIMEOUT_S)

    async def asked(self, body: dict[str, Any]) -> dict[str, Any]:
        """Another node asks in the name of its Connection. Raises Refused."""
        verb = body["verb"]
        caller = msgspec.convert(body["caller"], Caller)
        request = msgspec.convert(body["request"], REQUESTS[verb])
        if verb == "join" and await self._registry.claim(caller.key, self._node) != self._node:
            raise Refused("unavailable", "the room has moved to another node")
        return await self._host.handle(verb, caller, request)

    # comings and goings

    async def opened(self, who: Identity) -> None:
        """Nothing to do: a Participant comes back by joining again."""

    async def closed(self, who: Identity, reason: str) -> None:
        """The Participant stays for a grace; a revoked one goes at once."""
        for seat in self._of(who.connection):
            await self._forget(seat)
            verb = "leave" if reason == "revoked" else "lost"
            await self._tell_holder(seat, verb)

    def left_conversation(self, app: str, user: str, conversation: str) -> None:
        """Who is no longer a member has no place in its Room."""
        for seat in list(self._seats.values()):
            if (seat.who.app, seat.who.user, seat.room) == (app, user, conversation):
                self._tasks.spawn(self._tell_holder(seat, "leave"), "leave with membership")

    async def _tell_holder(self, seat: Seat, verb: str) -> None:
        try:
            await self._ask(seat, verb, wire.RoomLeave(room=seat.room))
        except Refused as error:
            # Its holder misses our node, or is dead itself: the Participant goes either way.
            log.info("%s of %s not told: %s", verb, seat.participant, error.message)

    def participant_left(self, app: str, hint: Hint) -> None:
        """Seen on its way to the sockets: a seat of this node is given up.

        One that the same Device has taken since is not: it is for another stay.
        """
        for seat in list(self._seats.values()):
            left = seat.who.app == app and seat.participant == hint.data["participant"]
            if left and hint.about in (None, seat.stay):
                self._tasks.spawn(self._forget(seat), "forget seat")

    def seat_taken(self, app: str, participant: str, data: dict[str, Any]) -> None:
        """The same Device joined on another Connection: this one is out."""
        for seat in list(self._seats.values()):
            mine = seat.who.app == app and seat.participant == participant
            if mine and seat.who.connection != data["connection"]:
                self._out(seat, "replaced")

    def _out(self, seat: Seat, reason: str) -> None:
        left = {"room": seat.room, "participant": seat.participant, "reason": reason}
        self._sockets.emit((seat.who.connection,), "participant:left", left)
        self._seats.pop((seat.who.connection, seat.key), None)
        self._tasks.spawn(self._forget(seat), "forget seat")

    async def _forget(self, seat: Seat) -> None:
        kept = self._seats.get((seat.who.connection, seat.key))
        if kept is seat:
            del self._seats[seat.who.connection, seat.key]
        if kept is None or kept is seat:
            await self._listening.unlisten(seat.who.connection, seat.topics)

    def _of(self, connection: str) -> list[Seat]:
        return [seat for (name, _), seat in list(self._seats.items()) if name == connection]

    # other nodes

    def released(self, key: str) -> None:
        """The host's last Participant of a Room is gone."""
        self._tasks.spawn(self._registry.release(key, self._node), f"release {key}")

    async def _watch(self) -> None:
        for key in list(self._host.rooms):
            if await self._registry.claim(key, self._node) != self._node:
                log.warning("room %s has been claimed by another node", key)
                self._host.close_room(key, "node_lost")
        await self._watch_bans()
        await self._watch_nodes()

    async def _watch_bans(self) -> None:
        """Who came by a grant is no member, so no leaving tells of a ban from the conversation."""
        for seat in list(self._seats.values()):
            if not seat.who.grants.rooms:
                continue
            if await self._members.kept_out(seat.room, seat.who.user, self._clock()):
                await self._tell_holder(seat, "leave")

    async def _watch_nodes(self) -> None:
        """Holders of our seats, and nodes our Participants connect through, may have died."""
        wanted = {seat.holder for seat in self._seats.values()}
        for room in self._host.rooms.values():
            wanted.update(one.node for one in room.participants.values())
        wanted.discard(self._node)
        if not wanted:
            self._misses.clear()
            return
        living = await self._registry.nodes()
        self._misses = {node: self._misses.get(node, 0) + 1 for node in wanted - living.keys()}
        for node, misses in self._misses.items():
            if misses >= MISSES_MAX:
                self._node_died(node)

    def _node_died(self, node: str) -> None:
        for seat in list(self._seats.values()):
            if seat.holder == node:
                self._out(seat, "node_lost")
        for room in list(self._host.rooms.values()):
            for one in list(room.participants.values()):
                if one.node == node:
                    self._host.remove(room, one, "lost")

    async def drain(self) -> None:
        """This node is going: its Participants join again elsewhere."""
        for key in list(self._host.rooms):
            self._host.close_room(key, "drain")

    # for files

    def identity(self, room: str, participant: str) -> Identity | None:
        """Who sits in a Room held here; `room` is the SFU's name of it."""
        held = self._host.rooms.get(room)
        one = held.participants.get(participant) if held else None
        return one.who if one else None

    async def present(self, who: Identity, room: str) -> bool:
        """Whether this Connection's Device is in the Room now."""
        return (who.connection, f"{who.app}/{room}") in self._seats

    async def send_file(self, who: Identity, file: str, offset: int) -> bool:
        """Open a data channel for a file to this Device; False when it is in no Room."""
        for seat in list(self._seats.values()):
            if (seat.who.app, seat.who.user, seat.who.device) == (who.app, who.user, who.device):
                request = wire.SendFile(room=seat.room, file=file, offset=offset)
                answer = await self._ask(seat, "send_file", request)
                return bool(answer["sent"])
        return False

    def stats(self) -> dict[str, float]:
        """Counters for the metrics."""
        participants = sum(len(room.participants) for room in self._host.rooms.values())
        return {"held": len(self._host.rooms), "participants": participants}
