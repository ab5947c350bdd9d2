"""The Rooms whose media this node holds: their Participants, and the SFU's reports on the wire."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from media import events as media
from media.errors import MediaError
from signaling.errors import Refused
from signaling.protocol import rooms as wire
from signaling.services.participant import Caller, Participant, Room
from signaling.services.room_outbox import RoomOutbox
from signaling.services.sfu import Sfu, offer_to_wire, refused, rights
from signaling.tasks import Tasks

GRACE_S = 6.0
"""A Participant whose Connection is gone stays this long."""
PARTICIPANTS_MAX = 100


class RoomHost:
    """Answers for its Rooms, whichever node the Participant's Connection is on."""

    def __init__(
        self,
        sfu: Sfu,
        outbox: RoomOutbox,
        tasks: Tasks,
        released: Callable[[str], None],
        *,
        grace_s: float = GRACE_S,
        participants_max: int = PARTICIPANTS_MAX,
    ) -> None:
        # passed in
        self._sfu = sfu
        self._outbox = outbox
        self._tasks = tasks
        self._released = released
        self._grace_s = grace_s
        self._participants_max = participants_max
        # made here
        self.rooms: dict[str, Room] = {}
        self._leaving: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._verbs: dict[str, Callable[[Room, Participant, Caller, Any], Awaitable[Any]]] = {
            "leave": self._leave,
            "lost": self._lost,
            "publish": self._publish,
            "answer": self._answer,
            "candidate": self._candidate,
            "restart": self._restart,
            "track": self._track,
            "subscription": self._subscription,
            "update": self._update,
            "remove": self._remove,
            "mute": self._mute,
            "send_file": self._send_file,
        }

    async def handle(self, verb: str, caller: Caller, request: Any) -> dict[str, Any]:
        """Carry out one request. Raises Refused."""
        try:
            if verb == "join":
                return await self._join(caller, request)
            room = self.rooms.get(caller.key)
            me = room.participants.get(caller.participant) if room else None
            if room is None or me is None:
                raise Refused("not_found", "not in this room")
            return await self._verbs[verb](room, me, caller, request) or {}
        except MediaError as error:
            raise refused(error) from None

    # joining and leaving

    async def _join(self, caller: Caller, request: wire.RoomJoin) -> dict[str, Any]:
        room = self.rooms.get(caller.key) or Room(caller.who.app, caller.room)
        me = room.participants.get(caller.participant)
        if me is None:
            me, resumed = await self._seat(room, caller, request), False
        else:
            resumed = await self._return(room, me, caller, request)
        return {
            "room": room.id,
            "participant": me.id,
            "resumed": resumed,
            "stay": me.stay,
            "participants": [one.to_wire() for one in room.participants.values()],
        }

    async def _seat(self, room: Room, caller: Caller, request: wire.RoomJoin) -> Participant:
        if len(room.participants) >= self._participants_max:
            raise Refused("quota_exceeded", "the room is full")
        who, name = caller.who, request.name or caller.who.name
        me = Participant(id=caller.participant, who=who, node=caller.node, name=name, attributes={})
        me.change(None, request.attributes)
        room.participants[me.id] = me
        self.rooms[room.key] = room
        try:
            await self._left(room.key, me.id)
            self._enter(room, me)
        except MediaError:
            self.remove(room, me, "refused")
            raise
        self._tell(room, "participant:joined", me.to_wire(), exclude=who.connection)
        return me

    def _enter(self, room: Room, me: Participant) -> None:
        """Into the SFU, unless they were put out while we waited. Raises Refused, MediaError."""
        if room.participants.get(me.id) is not me:
            raise Refused("unavailable", "left the room a moment ago")
        self._sfu.join(room.key, me.id, rights(me.who.grants))

    async def _return(
        self, room: Room, me: Participant, caller: Caller, request: wire.RoomJoin
    ) -> bool:
        """The same Device again; True when its transports go on."""
        taken = {"connection": caller.who.connection}
        self._outbox.to_seat(room.app, me.id, "seat:taken", taken)
        me.who, me.node, me.connected = caller.who, caller.node, True
        resumed = request.participant == me.id and not me.media_lost
        if not resumed:
            await self._sfu.leave(room.key, me.id)
            me.offer, me.media_lost = None, False
            me.tracks.clear()
            self._enter(room, me)
        elif me.offer is not None:
            self._outbox.to_seat(room.app, me.id, "media:offer", me.offer)
        if me.change(request.name, request.attributes):
            self._tell(room, "participant:updated", me.to_wire(), exclude=me.who.connection)
        return resumed

    async def _leave(self, room: Room, me: Participant, caller: Caller, request: Any) -> None:
        """What a page says as it is reloaded may come after the new page has joined."""
        if me.who.connection == caller.who.connection:
            self.remove(room, me, getattr(request, "reason", None) or "left")

    async def _lost(self, room: Room, me: Participant, caller: Caller, request: Any) -> None:
        """The Connection is gone: wait for the Device to come back, unless its media went too."""
        if me.who.connection == caller.who.connection:
            self.absent(room, me)

    def absent(self, room: Room, me: Participant) -> None:
        """Nobody hears for this Participant any more."""
        if not me.connected:
            return
        me.connected = False
        me.absences += 1
        if me.media_lost:
            self.remove(room, me, "lost")
        else:
            self._tasks.spawn(self._grace(room, me, me.absences), f"grace of {me.id}")

    async def _grace(self, room: Room, me: Participant, absence: int) -> None:
        await asyncio.sleep(self._grace_s)
        if not me.connected and me.absences == absence:
            self.remove(room, me, "lost")

    def remove(self, room: Room, me: Participant, reason: str) -> None:
        """Out of the Room; the last one gives up the claim on it."""
        if room.participants.get(me.id) is not me:
            return
        del room.participants[me.id]
        name = (room.key, me.id)
        task = self._tasks.spawn(self._sfu.leave(*name), f"leave {me.id}")
        if task is not None:
            self._leaving[name] = task
            task.add_done_callback(lambda done: self._gone(name, done))
        left = {"participant": me.id, "reason": reason}
        self._tell(room, "participant:left", left, about=me.stay)
        if not room.participants:
            self.rooms.pop(room.key, None)
            self._released(room.key)

    def _gone(self, name: tuple[str, str], done: "asyncio.Task[None]") -> None:
        if self._leaving.get(name) is done:  # not a later leaving of the same one
            del self._leaving[name]

    async def _left(self, key: str, participant: str) -> None:
        """Who left a moment ago has to be out of the SFU before coming in again."""
        leaving = self._leaving.get((key, participant))
        if leaving is not None:
            await asyncio.wait([leaving])

    def close_room(self, key: str, reason: str) -> None:
        """Everyone out: this node no longer holds the Room."""
        room = self.rooms.get(key)
        if room is None:
            return
        for me in list(room.participants.values()):
            self.remove(room, me, reason)

    # media

    async def _publish(
        self, room: Room, me: Participant, caller: Caller, request: wire.MediaPublish
    ) -> dict[str, Any]:
        sources: dict[str, str] = {track.mid: track.source for track in request.tracks}
        published = await self._sfu.publish(room.key, me.id, request.sdp, sources)
        names = ("mid", "track", "kind", "source")
        tracks = [{name: getattr(track, name) for name in names} for track in published.tracks]
        return {"sdp": published.sdp, "tracks": tracks}

    async def _answer(
        self, room: Room, me: Participant, caller: Caller, request: wire.MediaAnswer
    ) -> None:
        if me.offer is not None and me.offer["offer_id"] == request.offer_id:
            me.offer = None
        await self._sfu.answer(room.key, me.id, request.offer_id, request.sdp)

    async def _candidate(
        self, room: Room, me: Participant, caller: Caller, request: wire.MediaCandidate
    ) -> None:
        self._sfu.candidate(room.key, me.id, request.transport, request.candidate)

    async def _restart(
        self, room: Room, me: Participant, caller: Caller, request: wire.MediaRestart
    ) -> None:
        await self._sfu.restart(room.key, me.id, request.transport)

    async def _track(
        self, room: Room, me: Participant, caller: Caller, request: wire.TrackUpdate
    ) -> None:
        self._sfu.update_track(
            room.key, me.id, request.track, muted=request.muted, source=request.source
        )

    async def _subscription(
        self, room: Room, me: Participant, caller: Caller, request: wire.SubscriptionUpdate
    ) -> None:
        wishes = ("enabled", "width", "height", "fps", "priority")
        chosen = {wish: getattr(request, wish) for wish in wishes}
        chosen = {wish: value for wish, value in chosen.items() if value is not None}
        self._sfu.update_subscription(room.key, me.id, request.track, **chosen)

    async def _send_file(
        self, room: Room, me: Participant, caller: Caller, request: wire.SendFile
    ) -> dict[str, Any]:
        sent = await self._sfu.send_file(room.key, me.id, request.file, request.offset)
        return {"sent": sent}

    # participants

    async def _update(
        self, room: Room, me: Participant, caller: Caller, request: wire.ParticipantUpdate
    ) -> None:
        other = self._other(room, request.participant or me.id)
        if other is not me and not caller.moderator:
            raise Refused("forbidden", "only moderators change others")
        if other.change(request.name, request.attributes):
            self._tell(room, "participant:updated", other.to_wire())

    async def _remove(
        self, room: Room, me: Participant, caller: Caller, request: wire.ParticipantRemove
    ) -> dict[str, Any]:
        other = self._moderated(room, caller, request.participant)
        self.remove(room, other, "removed")
        return {"user": other.who.user}

    async def _mute(
        self, room: Room, me: Participant, caller: Caller, request: wire.ParticipantMute
    ) -> dict[str, Any]:
        other = self._moderated(room, caller, request.participant)
        tracks = self.mute(room, other, request.track, request.source)
        return {"tracks": tracks, "user": other.who.user}

    def mute(
        self, room: Room, other: Participant, track: str | None, source: str | None
    ) -> list[str]:
        """One track, those of a source, or all; which."""
        muted = [
            str(one["track"])
            for one in other.tracks.values()
            if track in (None, one["track"]) and source in (None, one["source"])
        ]
        for name in muted:
            self._sfu.update_track(room.key, other.id, name, muted=True)
        return muted

    def _moderated(self, room: Room, caller: Caller, participant: str) -> Participant:
        if not caller.moderator:
            raise Refused("forbidden", "only moderators may do this")
        return self._other(room, participant)

    def _other(self, room: Room, participant: str) -> Participant:
        other = room.participants.get(participant)
        if other is None:
            raise Refused("not_found", "no such participant")
        return other

    # the SFU's reports

    def on_media(self, event: media.SfuEvent) -> None:
        """The SFU's `emit`."""
        room = self.rooms.get(event.room)
        if room is None:
            return
        if isinstance(event, media.SpeakersChanged):
            speakers = [{"participant": who, "level": level} for who, level in event.speakers]
            self._tell(room, "room:speakers", {"speakers": speakers}, volatile=True)
            return
        me = room.participants.get(event.participant)
        if me is not None:
            self._about(room, me, event)

    def _about(self, room: Room, me: Participant, event: media.SfuEvent) -> None:
        match event:
            case media.OfferMade():
                me.offer = offer_to_wire(room.id, event)
                self._outbox.to_seat(room.app, me.id, "media:offer", me.offer)
            case media.TrackPublished() | media.TrackUpdated():
                self._track_is(room, me, event)
            case media.TrackUnpublished():
                me.tracks.pop(event.track, None)
                data = {"participant": me.id, "track": event.track}
                self._tell(room, "track:unpublished", data)
            case media.QualityChanged():
                score = {"participant": me.id, "score": event.score}
                self._tell(room, "room:quality", score, volatile=True)
            case media.TransportConnected():
                me.media_lost = False
            case media.TransportLost(reason="silent") if me.connected and not me.media_lost:
                self._silenced(room, me)
            case media.ParticipantLost():
                me.media_lost = True
                if not me.connected:
                    self.remove(room, me, "lost")

    def _silenced(self, room: Room, me: Participant) -> None:
        """Its path was dead too long, its socket is not: its Device has to begin anew.

        A restart would not do: the association ended here, and a browser goes on with its own as
        long as our fingerprint is the same. The others need not see it go and come.
        """
        me.media_lost = True
        gone = {"room": room.id, "participant": me.id, "reason": "lost"}
        self._outbox.to_seat(room.app, me.id, "participant:left", gone)

    def _track_is(
        self, room: Room, me: Participant, event: media.TrackPublished | media.TrackUpdated
    ) -> None:
        state = {name: getattr(event, name) for name in ("track", "kind", "source", "muted")}
        me.tracks[event.track] = state
        published = isinstance(event, media.TrackPublished)
        name = "track:published" if published else "track:updated"
        self._tell(room, name, {"participant": me.id, **state})

    def offer_again(self) -> None:
        """Hints were lost: say every open offer anew (a client answers it once)."""
        for room in self.rooms.values():
            for me in room.participants.values():
                if me.offer is not None:
                    self._outbox.to_seat(room.app, me.id, "media:offer", me.offer)

    def _tell(self, room: Room, event: str, data: dict[str, Any], **options: Any) -> None:
        self._outbox.to_room(room.app, room.id, event, data, **options)
