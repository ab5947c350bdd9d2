"""The publish transport of one Participant: answers its offers, sorts its packets."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiortc.rtcdatachannel import RTCDataChannel

from media.codecs import INCOMING_EXTENSIONS
from media.drops import DropReason
from media.errors import MediaError
from media.flow.arrivals import Arrivals, Arrived
from media.net.transport import Transport
from media.producer import Producer
from media.publish_sdp import Offer, PublishedTrack, Section, answer_session, check_source
from media.stream import Stream
from media.wire import extensions, rtcp, rtp
from media.wire.seq import Unwrapper

if TYPE_CHECKING:
    from media.router import Participant, Router

MAX_UNKNOWN_SSRCS = 64
OWN_SSRC = 1
"""The sender of our feedback, as libwebrtc's receive-only streams have it."""
MAX_BLOCKS = 31
REPORT_INTERVAL_S = 1.0
Sink = Callable[[rtp.Packet, float], None]


@dataclass(frozen=True, slots=True)
class Published:
    """The answer to an offer on `publish`."""

    sdp: str
    tracks: list[PublishedTrack]


class Publisher:
    """Owns a Transport and the Producers whose packets come over it."""

    def __init__(self, router: "Router", participant: "Participant", fingerprint: str) -> None:
        # passed in
        self._router = router
        self._participant = participant
        self.fingerprint = fingerprint
        # made here
        self.transport = Transport(router.hub, router.certificate, self)
        self.producers: dict[str, Producer] = {}
        """By mid."""
        self._sinks: dict[int, Sink] = {}
        self._ids: dict[str, int] = {}
        self._remote_ufrag = ""
        self._session_version = 0
        self._arrivals = Arrivals()
        self._transport_numbers = Unwrapper()
        self._report_at = 0.0
        self.closed = False

    # negotiation

    def answer(self, offer: Offer, sources: dict[str, str]) -> Published:
        """Answer a browser's offer; Producers begin and end as it says. Raises MediaError."""
        sections = offer.sections(sources)
        self._check(sections)
        ended = self._end_missing(sections)
        started = [self._start(s) for s in sections if s.wanted and s.mid not in self.producers]
        for section in sections:
            section.producer = self.producers.get(section.mid)
        self._connect(offer.ufrag, offer.setup, offer.fingerprints, sections)
        self._session_version += 1
        answer = answer_session(
            sections,
            self.transport,
            self._router.certificate.fingerprint(),
            self._router.candidates,
            self._session_version,
            passive=offer.setup != "passive",
        )
        for producer in ended:
            self._router.unpublished(producer)
        for producer in started:
            self._router.published(producer)
        return Published(answer, [s.published() for s in sections if s.producer is not None])

    def _check(self, sections: list[Section]) -> None:
        wanted = [s for s in sections if s.wanted]
        if len(wanted) > self._router.config.max_tracks:
            raise MediaError("too_large", "too many tracks")
        for section in wanted:
            check_source(section.source)
            if not self._participant.rights.may_publish(section.source):
                raise MediaError("forbidden", f"may not publish {section.source}")

    def _end_missing(self, sections: list[Section]) -> list[Producer]:
        alive = {s.mid for s in sections if s.wanted}
        ended = [p for mid, p in self.producers.items() if mid not in alive]
        for producer in ended:
            del self.producers[producer.mid]
            gone = {s.ssrc for s in producer.streams} | {s.rtx_ssrc for s in producer.streams}
            for ssrc in gone:
                self._sinks.pop(ssrc, None)
        return ended

    def _start(self, section: Section) -> Producer:
        assert section.codec is not None
        producer = Producer(
            participant=self._participant.id,
            mid=section.mid,
            kind=section.kind,
            source=section.source,
            codec=section.codec,
            rtx_payload_type=section.rtx_payload_type,
            extension_ids=section.extension_ids,
            rids=section.rids,
            drops=self._router.hub.drops,
            touched=self._router.touched,
            publisher=self,
            on_level=self._router.level_heard,
        )
        self.producers[section.mid] = producer
        for uri, id_ in section.extension_ids.items():
            if uri in INCOMING_EXTENSIONS:
                self._ids[uri] = id_
        for ssrc, rtx in section.ssrcs:
            self._bind(producer, ssrc, rtx)
        return producer

    def _bind(self, producer: Producer, ssrc: int, rtx: int, rid: str = "") -> Stream | None:
        stream = producer.stream(rid) if rid else None
        if stream is None:
            stream = producer.add_stream(ssrc, rid)
        if stream is None:
            return None
        self._sinks[ssrc] = stream.receive
        if rtx:
            stream.rtx_ssrc = rtx
            self._sinks[rtx] = stream.repair
        return stream

    def _connect(
        self,
        ufrag: str,
        setup: str,
        fingerprints: list[tuple[str, str]],
        sections: list[Section],
    ) -> None:
        if self._remote_ufrag and ufrag != self._remote_ufrag:
            self.transport.restart_ice()
        self._remote_ufrag = ufrag
        for section in sections:
            if section.sctp_port is not None:
                self.transport.use_data(section.sctp_port, section.max_message_bytes)
        # Passive unless the offerer insists on waiting itself (RFC 8842 section 5.3).
        self.transport.start(fingerprints, server=setup != "passive")

    # Listener

    def transport_connected(self, transport: Transport) -> None:
        """Media can flow."""
        self._router.transport_connected(self._participant, "publish")

    def transport_lost(self, transport: Transport, reason: str) -> None:
        """The browser is gone: so are its tracks."""
        self._router.transport_lost(self._participant, "publish", reason)

    def channel_opened(self, channel: RTCDataChannel) -> None:
        """The browser opened a data channel."""
        self._router.channel_opened(self._participant, channel)

    def rtp_received(self, packet: rtp.Packet, now: float) -> None:
        """One packet: to the stream of its SSRC, or to whom its extensions name."""
        sink = self._sinks.get(packet.ssrc)
        if sink is None:
            sink = self._discover(packet)
            if sink is None:
                self._router.hub.drops.counts[DropReason.RTP_UNKNOWN_SSRC] += 1
                return
        sink(packet, now)

    def _discover(self, packet: rtp.Packet) -> Sink | None:
        """Learn an SSRC from MID and RID, or from a payload type only one track has."""
        if len(self._sinks) >= MAX_UNKNOWN_SSRCS:
            self._router.hub.drops.counts[DropReason.STREAM_LIMIT] += 1
            return None
        try:
            words = self._words(packet)
        except ValueError:
            return None
        producer = self.producers.get(words.get(extensions.Uri.MID, "")) or self._only(packet)
        if producer is None:
            return None
        repaired = words.get(extensions.Uri.REPAIRED_RID)
        if packet.payload_type == producer.rtx_payload_type:
            stream = producer.stream(repaired or "")
            if stream is None:
                return None
            stream.rtx_ssrc = packet.ssrc
            self._sinks[packet.ssrc] = stream.repair
            return stream.repair
        rid = words.get(extensions.Uri.RID, "")
        if producer.rids and rid not in producer.rids:
            return None
        bound = self._bind(producer, packet.ssrc, 0, rid)
        return bound.receive if bound is not None else None

    def _words(self, packet: rtp.Packet) -> dict[str, str]:
        """The text extensions of a packet, by URI. Raises ValueError."""
        by_id = {id_: uri for uri, id_ in self._ids.items()}
        wanted = (extensions.Uri.MID, extensions.Uri.RID, extensions.Uri.REPAIRED_RID)
        return {
            by_id[id_]: extensions.sdes_text(packet.data, offset, length)
            for id_, offset, length in rtp.extensions(packet)
            if by_id.get(id_) in wanted
        }

    def _only(self, packet: rtp.Packet) -> Producer | None:
        found = [
            p
            for p in self.producers.values()
            if packet.payload_type in (p.payload_type, p.rtx_payload_type)
        ]
        return found[0] if len(found) == 1 else None

    def rtcp_received(self, data: bytes, now: float) -> None:
        """Sender reports tie each stream's timestamps to its publisher's clock."""
        try:
            reports = rtcp.parse(data)
        except ValueError:
            self._router.hub.drops.counts[DropReason.RTCP_MALFORMED] += 1
            return
        for report in reports:
            if isinstance(report, rtcp.SenderReport):
                stream = self._stream(report.ssrc)
                if stream is not None:
                    stream.reception.clock.sender_report(report.ntp, report.timestamp, now)

    def _stream(self, ssrc: int) -> Stream | None:
        streams = (s for p in self.producers.values() for s in p.streams)
        return next((s for s in streams if s.ssrc == ssrc), None)

    def arrived(self, number: int, now: float) -> None:
        """A packet with that transport-wide number arrived."""
        self._arrivals.add(self._transport_numbers.unwrap(number), now)

    # time

    def tick(self, now: float) -> None:
        """Tell the browser what arrived, and how well."""
        self.transport.tick(now)
        if not self.transport.connected:
            return
        arrived = self._arrivals.tick(now)
        if arrived is not None:
            self._tell(arrived)
        if now >= self._report_at:
            self._report_at = now + REPORT_INTERVAL_S
            self._report(now)

    def _tell(self, arrived: Arrived) -> None:
        ssrc = next((s.ssrc for p in self.producers.values() for s in p.streams), 0)
        base = arrived.base & 0xFFFF
        feedback = rtcp.TransportFeedback(OWN_SSRC, ssrc, base, arrived.number, arrived.arrivals_us)
        try:
            self.transport.send_rtcp(feedback.pack())
        except ValueError:  # arrivals too far apart for one packet: the next one starts afresh
            self._router.hub.drops.counts[DropReason.TOO_LARGE] += 1

    def _report(self, now: float) -> None:
        streams = [s for p in self.producers.values() for s in p.streams if s.reception.packets]
        for start in range(0, len(streams), MAX_BLOCKS):
            blocks = tuple(s.block(now) for s in streams[start : start + MAX_BLOCKS])
            self.transport.send_rtcp(rtcp.pack([rtcp.ReceiverReport(OWN_SSRC, blocks)]))

    def ask_again(self, ssrc: int, sequences: list[int]) -> None:
        """Send a NACK."""
        self.transport.send_rtcp(rtcp.pack([rtcp.Nack(OWN_SSRC, ssrc, tuple(sequences))]))

    def request_keyframe(self, ssrc: int) -> None:
        """Send a PLI."""
        self.transport.send_rtcp(rtcp.pack([rtcp.Pli(OWN_SSRC, ssrc)]))

    async def close(self) -> None:
        """End every Producer and the Transport."""
        if self.closed:
            return
        self.closed = True
        producers, self.producers = list(self.producers.values()), {}
        for producer in producers:
            self._router.unpublished(producer)
        await self.transport.close()
