"""One Room: its Participants, who receives whom, and what the owner is told."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from aiortc.rtcdatachannel import RTCDataChannel

from media.config import Rights, SfuConfig
from media.errors import MediaError
from media.events import (
    ParticipantLost,
    QualityChanged,
    SfuEvent,
    SpeakersChanged,
    TrackPublished,
    TrackUnpublished,
    TrackUpdated,
    TransportConnected,
    TransportLost,
    TransportName,
)
from media.flow.speaker import Speakers
from media.net.dtls import Certificate
from media.net.hub import Hub
from media.producer import Producer
from media.publish_sdp import check_source, read_offer
from media.publisher import Published, Publisher
from media.stream import Stream
from media.subscriber import Subscriber
from media.viewer import Viewer

SPEAKERS_INTERVAL_S = 0.3
QUALITY_INTERVAL_S = 2.0
SLOW_INTERVAL_S = 0.25
SIDES: tuple[TransportName, TransportName] = ("publish", "subscribe")


@dataclass(slots=True)
class Participant:
    """One member of a Room and its two transports."""

    id: str
    rights: Rights
    publisher: Publisher | None = None
    subscriber: Subscriber | None = None
    lost: set[Literal["publish", "subscribe"]] = field(default_factory=set)


class Router:
    """A Room's maps."""

    def __init__(
        self,
        name: str,
        config: SfuConfig,
        hub: Hub,
        certificate: Certificate,
        candidates: list[str],
        touched: list[Stream],
        emit: Callable[[SfuEvent], None],
    ) -> None:
        # passed in
        self.name = name
        self.config = config
        self.hub = hub
        self.certificate = certificate
        self.candidates = candidates
        self.touched = touched
        self.emit = emit
        # made here
        self.participants: dict[str, Participant] = {}
        self.producers: dict[str, Producer] = {}
        """By track."""
        self._speakers = Speakers()
        self._speakers_at = 0.0
        self._quality_at = 0.0
        self._slow_at = 0.0
        self._closing: set[asyncio.Task[None]] = set()
        self.on_channel: Callable[[Router, Participant, RTCDataChannel], None] | None = None

    # members

    def join(self, participant_id: str, rights: Rights) -> Participant:
        """A new member; it is offered what is published already."""
        member = self.seat(participant_id, rights)
        if rights.subscribe:
            self.open_subscriber(member)
        return member

    def seat(self, participant_id: str, rights: Rights) -> Participant:
        """A new member without transports."""
        member = self.participants[participant_id] = Participant(participant_id, rights)
        return member

    def view(self, member: Participant, text: str) -> str:
        """Answer a receive-only offer. Raises MediaError."""
        offer = read_offer(text)
        if not member.rights.subscribe:
            raise MediaError("forbidden", "may not subscribe")
        self.close_side(member, "subscribe")
        viewer = Viewer(self, member)
        member.subscriber = viewer
        return viewer.view(offer)

    def open_subscriber(self, member: Participant) -> None:
        """(Re)open the subscribe transport; offers every track of the others."""
        self.close_side(member, "subscribe")
        member.lost.discard("subscribe")
        member.subscriber = Subscriber(self, member)
        for producer in self.producers.values():
            if producer.participant != member.id:
                member.subscriber.add(producer)

    def open_publisher(self, member: Participant, fingerprint: str) -> Publisher:
        """The publish transport for a peer with that certificate; another peer's is closed."""
        current = member.publisher
        alive = current is not None and current.transport.state not in ("lost", "closed")
        if current is not None and alive and current.fingerprint == fingerprint:
            return current
        self.close_side(member, "publish")
        member.lost.discard("publish")
        member.publisher = Publisher(self, member, fingerprint)
        return member.publisher

    def close_side(self, member: Participant, side: TransportName) -> None:
        """Close one transport in the background; `drain` waits for it."""
        closing: Publisher | Subscriber | None
        if side == "publish":
            closing, member.publisher = member.publisher, None
        else:
            closing, member.subscriber = member.subscriber, None
        if closing is not None:
            task = asyncio.create_task(closing.close(), name=f"close-{side}")
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def leave(self, participant_id: str) -> None:
        """A member is gone, with its tracks."""
        member = self.participants.pop(participant_id, None)
        if member is None:
            return
        self._speakers.remove(participant_id)
        for side in SIDES:
            self.close_side(member, side)
        await self.drain()

    async def drain(self) -> None:
        """Wait until what closes is closed."""
        while self._closing:
            await asyncio.wait(set(self._closing))

    # tracks

    def publish(self, member: Participant, text: str, sources: dict[str, str]) -> Published:
        """Answer an offer on `publish`. Raises MediaError."""
        offer = read_offer(text)
        if not member.rights.publish:
            raise MediaError("forbidden", "may not publish")
        publisher = self.open_publisher(member, offer.fingerprints[0][1])
        return publisher.answer(offer, sources)

    def published(self, producer: Producer) -> None:
        """A track began: everyone else is offered it."""
        self.producers[producer.id] = producer
        self.emit(
            TrackPublished(
                self.name,
                producer.participant,
                producer.id,
                producer.kind,
                producer.source,
                producer.muted,
            )
        )
        for member in self.participants.values():
            if member.id != producer.participant and member.subscriber is not None:
                member.subscriber.add(producer)

    def unpublished(self, producer: Producer) -> None:
        """A track ended."""
        if self.producers.pop(producer.id, None) is None:
            return
        for member in self.participants.values():
            if member.subscriber is not None:
                member.subscriber.remove(producer)
        producer.consumers.clear()
        self.emit(TrackUnpublished(self.name, producer.participant, producer.id))

    def update(self, producer: Producer, muted: bool | None, source: str | None) -> None:
        """Mute or rename a track; its last packets are not shown after a mute."""
        now = self.hub.clock()
        if source is not None:
            check_source(source)
            producer.source = source
        if muted is not None and muted != producer.muted:
            producer.muted = muted
            if muted and producer.kind == "audio":
                self._speakers.remove(producer.participant)
            for consumer in producer.consumers:
                consumer.restart(now)
        self.emit(
            TrackUpdated(
                self.name,
                producer.participant,
                producer.id,
                producer.kind,
                producer.source,
                producer.muted,
            )
        )

    def level_heard(self, producer: Producer, level: int) -> None:
        """An audio packet said how loud it is."""
        self._speakers.add(producer.participant, level)

    # transports

    def transport_connected(self, member: Participant, side: TransportName) -> None:
        """ICE and DTLS are done."""
        self.emit(TransportConnected(self.name, member.id, side))

    def transport_lost(self, member: Participant, side: TransportName, reason: str) -> None:
        """A transport ended by itself."""
        member.lost.add(side)
        self.close_side(member, side)
        self.emit(TransportLost(self.name, member.id, side, reason))
        if member.publisher is None and member.subscriber is None:
            self.emit(ParticipantLost(self.name, member.id))

    def channel_opened(self, member: Participant, channel: RTCDataChannel) -> None:
        """A Participant opened a data channel."""
        if self.on_channel is not None:
            self.on_channel(self, member, channel)
        else:
            channel.close()

    # time

    def tick(self, now: float) -> None:
        """Periodic work: repairs and feedback often, what may wait less often."""
        for producer in self.producers.values():
            producer.tick(now)
        for member in list(self.participants.values()):
            if member.publisher is not None:
                member.publisher.tick(now)
            if member.subscriber is not None and member.subscriber.adaptation.padding_bps:
                member.subscriber.adaptation.pad(member.subscriber.consumers.values(), now)
        if now >= self._slow_at:
            self._slow_at = now + SLOW_INTERVAL_S
            for member in list(self.participants.values()):
                if member.subscriber is not None:
                    member.subscriber.tick(now)
        if now >= self._speakers_at:
            self._speakers_at = now + SPEAKERS_INTERVAL_S
            self._tell_speakers(now)
        if now >= self._quality_at:
            self._quality_at = now + QUALITY_INTERVAL_S
            self._tell_quality(now)

    def _tell_speakers(self, now: float) -> None:
        speakers = self._speakers.tick(now)
        if speakers is not None:
            self.emit(SpeakersChanged(self.name, speakers))

    def _tell_quality(self, now: float) -> None:
        for member in self.participants.values():
            score = member.subscriber.quality.tick(now) if member.subscriber else None
            if score is not None:
                self.emit(QualityChanged(self.name, member.id, score))
