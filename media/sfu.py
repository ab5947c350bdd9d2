"""The front door: Rooms by name, offers and answers, and the one timer."""

import asyncio
from collections.abc import Callable
from typing import Final

from aiortc.rtcdatachannel import RTCDataChannel

from media.candidates import candidate_lines, local_addresses
from media.config import Rights, SfuConfig
from media.drops import Drops
from media.errors import MediaError
from media.events import SfuEvent, TransportConnected, TransportName
from media.net.dtls import Certificate
from media.net.hub import Hub
from media.producer import Producer
from media.publisher import Published
from media.relay import FileStore, Relay
from media.router import Participant, Router
from media.stream import Stream

TICK_S: Final = 0.05
"""Losses are asked for when they are seen, and again with the packets that follow: the timer is
for what happens when nothing comes."""
LATE_S: Final = 0.5
"""A tick later than this: the process stood still, or the machine did."""
MAX_NAME_CHARS: Final = 512


class Sfu:
    """Selective forwarding of Rooms. Methods raise MediaError for what they refuse.

    `emit` gets every SfuEvent, on the loop, and must not block.
    """

    def __init__(
        self, config: SfuConfig, emit: Callable[[SfuEvent], None], files: FileStore | None = None
    ) -> None:
        # passed in
        self.config = config
        self._emit = emit
        # made here
        self.relay = Relay(self._open_channel, emit, files, config.clock)
        self.drops = Drops()
        self.hub = Hub(self.drops, config.clock, self._batch_end)
        self._touched: list[Stream] = []
        self._rooms: dict[str, Router] = {}
        self._certificate: Certificate | None = None
        self._candidates: list[str] = []
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    async def start(self) -> None:
        """Bind the UDP port and start ticking. Raises OSError when the port is taken."""
        config = self.config
        self._certificate = Certificate.generateCertificate()
        self.hub.open(config.host, config.port, batched=config.batched)
        addresses = list(config.announced)
        if not addresses:
            addresses = [config.host] if _specific(config.host) else local_addresses()
        self._candidates = candidate_lines(addresses, self.hub.udp.port)
        self._schedule()

    async def close(self) -> None:
        """Say goodbye to everyone and release the port."""
        if self._closed:
            return
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        await self.relay.close()
        for name in list(self._rooms):
            for member in list(self._rooms[name].participants):
                await self.leave(name, member)
        self.hub.close()

    @property
    def port(self) -> int:
        """The bound UDP port."""
        return self.hub.udp.port

    # time

    def _schedule(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(TICK_S, self._tick)

    def _tick(self) -> None:
        now, loop = self.config.clock(), asyncio.get_running_loop()
        assert self._timer is not None
        late_s = loop.time() - self._timer.when()
        if late_s > LATE_S:
            self.hub.stood_still(late_s, now)
        self._schedule()
        for room in self._rooms.values():  # in turns of their own: a bug in one stops no other
            loop.call_soon(room.tick, now)
        loop.call_soon(self._flush)

    def _flush(self) -> None:
        if not self._closed:
            self.hub.udp.egress.flush()

    def _batch_end(self, now: float) -> None:
        """Forward what one batch of datagrams brought."""
        touched = self._touched
        try:
            for stream in touched:
                stream.forward(now)
        finally:
            touched.clear()

    # rooms

    def join(self, room: str, participant: str, rights: Rights | None = None) -> None:
        """A Participant enters; the first opens the Room. Joining again changes nothing."""
        router = self._enter(room, participant)
        if participant not in router.participants:
            router.join(participant, rights or Rights())

    async def view(
        self, room: str, participant: str, sdp: str, rights: Rights | None = None
    ) -> str:
        """Answer a receive-only offer (WHEP) with the Room's tracks; joins if need be."""
        router = self._enter(room, participant)
        member = router.participants.get(participant)
        if member is not None:
            return router.view(member, sdp)
        member = router.seat(participant, rights or Rights(publish=False))
        try:
            return router.view(member, sdp)
        except MediaError:
            await self.leave(room, participant)
            raise

    def _enter(self, room: str, participant: str) -> Router:
        """The Room, opened if need be, with a place for the Participant. Raises MediaError."""
        if self._certificate is None or self._closed:
            raise MediaError("unavailable", "the SFU is not running")
        for name in (room, participant):
            if not 0 < len(name) <= MAX_NAME_CHARS:
                raise MediaError("bad_request", "bad room or participant name")
        router = self._rooms.get(room)
        if router is None:
            router = self._open_room(room)
        full = len(router.participants) >= self.config.max_participants
        if full and participant not in router.participants:
            raise MediaError("quota_exceeded", "the room is full")
        return router

    def _open_room(self, room: str) -> Router:
        if len(self._rooms) >= self.config.max_rooms:
            raise MediaError("unavailable", "too many rooms")
        assert self._certificate is not None
        router = Router(
            room,
            self.config,
            self.hub,
            self._certificate,
            self._candidates,
            self._touched,
            self._happened,
        )
        router.on_channel = self._channel_opened
        self._rooms[room] = router
        return router

    async def leave(self, room: str, participant: str) -> None:
        """A Participant is gone; the last one closes the Room. Unknown ones are no error."""
        router = self._rooms.get(room)
        if router is None:
            return
        self.relay.participant_left(room, participant)
        await router.leave(participant)
        if not router.participants and self._rooms.get(room) is router:
            del self._rooms[room]

    def _router(self, room: str) -> Router:
        router = self._rooms.get(room)
        if router is None:
            raise MediaError("not_found", "no such room")
        return router

    def _member(self, room: str, participant: str) -> tuple[Router, Participant]:
        router = self._router(room)
        member = router.participants.get(participant)
        if member is None:
            raise MediaError("not_found", "not in that room")
        return router, member

    def _own_track(self, room: str, participant: str, track: str) -> tuple[Router, Producer]:
        router, _member = self._member(room, participant)
        producer = router.producers.get(track)
        if producer is None or producer.participant != participant:
            raise MediaError("not_found", "no such track of this participant")
        return router, producer

    # media

    async def publish(
        self, room: str, participant: str, sdp: str, sources: dict[str, str] | None = None
    ) -> Published:
        """Answer an offer on `publish`; `sources` says what each mid carries."""
        router, member = self._member(room, participant)
        return router.publish(member, sdp, sources or {})

    async def answer(self, room: str, participant: str, offer_id: str, sdp: str) -> None:
        """The answer to an OfferMade."""
        _router, member = self._member(room, participant)
        if member.subscriber is None:
            raise MediaError("conflict", "nothing is offered")
        member.subscriber.answer(offer_id, sdp)

    def candidate(self, room: str, participant: str, transport: str, candidate: object) -> None:
        """A browser's candidate. A lite agent learns addresses from checks and needs none."""
        self._member(room, participant)

    async def restart(self, room: str, participant: str, transport: TransportName) -> None:
        """Restart ICE on `subscribe` (a new offer comes). On `publish` the browser offers anew."""
        router, member = self._member(room, participant)
        if transport != "subscribe":
            return
        if not member.rights.subscribe:
            raise MediaError("forbidden", "may not subscribe")
        subscriber = member.subscriber
        if subscriber is None or subscriber.transport.state in ("lost", "closed"):
            router.open_subscriber(member)
        else:
            subscriber.restart()

    def update_track(
        self,
        room: str,
        participant: str,
        track: str,
        muted: bool | None = None,
        source: str | None = None,
    ) -> None:
        """Mute, unmute or rename a track of `participant`."""
        router, producer = self._own_track(room, participant, track)
        router.update(producer, muted, source)

    def update_subscription(
        self,
        room: str,
        participant: str,
        track: str,
        enabled: bool | None = None,
        width: int = 0,
        height: int = 0,
        fps: int = 0,
        priority: int = 0,
    ) -> None:
        """What `participant` wants of a track: on or off, and how large it is shown."""
        _router, member = self._member(room, participant)
        consumer = member.subscriber.consumers.get(track) if member.subscriber else None
        if consumer is None:
            raise MediaError("not_found", "no such subscription")
        now = self.config.clock()
        if enabled is not None:
            consumer.pause(not enabled, now)
        consumer.priority = priority
        consumer.wish(width, height, fps, now)

    def stats(self) -> dict[str, object]:
        """Counters of the whole SFU."""
        egress = self.hub.udp.egress
        rooms = self._rooms.values()
        return {
            "rooms": len(self._rooms),
            "participants": sum(len(r.participants) for r in rooms),
            "tracks": sum(len(r.producers) for r in rooms),
            "received_packets_total": self.hub.received_packets,
            "received_bytes_total": self.hub.received_bytes,
            "sent_packets_total": egress.sent_packets,
            "sent_bytes_total": egress.sent_bytes,
            "drops_total": self.drops.as_dict(),
            **self.relay.stats(),
        }

    # data channels

    def send_data(
        self, room: str, participant: str | None, payload: bytes, reliable: bool = True
    ) -> None:
        """A message from the server to one Participant, or to all, on `data` or `data-lossy`."""
        self._router(room)
        self.relay.send_data(room, participant, payload, reliable=reliable)

    async def send_file(self, room: str, participant: str, file: str, offset: int = 0) -> bool:
        """Open `file:<file>` on `subscribe`; False where that carries no data channels."""
        self._member(room, participant)
        return await self.relay.send_file(room, participant, file, offset)

    def _happened(self, event: SfuEvent) -> None:
        if isinstance(event, TransportConnected) and event.transport == "subscribe":
            self.relay.participant_joined(event.room, event.participant)
        self._emit(event)

    def _channel_opened(self, router: Router, member: Participant, channel: RTCDataChannel) -> None:
        self.relay.channel_opened(router.name, member.id, channel)

    def _open_channel(
        self,
        room: str,
        participant: str,
        label: str,
        *,
        ordered: bool = True,
        max_retransmits: int | None = None,
    ) -> RTCDataChannel | None:
        _router, member = self._member(room, participant)
        subscriber = member.subscriber
        if subscriber is None or not subscriber.transport.connected:
            return None
        data = subscriber.transport.data
        if data is None:
            return None
        return data.open(label, ordered=ordered, max_retransmits=max_retransmits)


def _specific(host: str) -> bool:
    return host not in ("", "::", "0.0.0.0")  # noqa: S104
