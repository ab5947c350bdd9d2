"""The subscribe transport of one Participant: offers what there is to receive, and sends it."""

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from aiortc.rtcdatachannel import RTCDataChannel

from media.adaptation import Adaptation
from media.codecs import PayloadTypes
from media.consumer import Consumer
from media.drops import DropReason
from media.errors import MediaError
from media.events import OfferedTrack, OfferMade
from media.flow.quality import Quality
from media.negotiation import Negotiation, Step
from media.net.data import MAX_MESSAGE_BYTES, SCTP_PORT
from media.net.transport import Transport
from media.producer import Producer
from media.subscribe_sdp import (
    Line,
    apply_answer,
    offer_session,
    read_answer,
    stream_name,
    takes_numbers,
)
from media.wire import rtcp, rtp

if TYPE_CHECKING:
    from media.router import Participant, Router

DATA_MID: Final = "data"
REPEAT_AFTER_S: Final = 10.0
"""An offer without an answer is repeated: the client may have been away."""
MAX_REPEATS: Final = 6
REPORT_INTERVAL_S: Final = 1.0
REPORTS_PER_PACKET: Final = 8
"""Of 28 bytes each, and a name of up to 80 for each: together they fit a datagram."""


class Subscriber:
    """Owns a Transport and the Consumers whose packets go over it."""

    def __init__(self, router: "Router", participant: "Participant") -> None:
        # passed in
        self._router = router
        self._participant = participant
        # made here
        self.transport = Transport(router.hub, router.certificate, self)
        self.adaptation = Adaptation(self.transport)
        self.consumers: dict[str, Consumer] = {}
        """By track."""
        self._lines: list[Line] = [Line(DATA_MID, "application")]
        self._by_ssrc: dict[int, Consumer] = {}
        self._types = PayloadTypes()
        self._negotiation = Negotiation()
        self._sending: asyncio.Handle | None = None
        self._text = ""
        self._offered_at = 0.0
        self._repeats = 0
        self._remote_ufrag = ""
        self._report_at = 0.0
        self.quality = Quality()
        self.closed = False
        self.change()

    # what is received

    def add(self, producer: Producer) -> None:
        """Begin to offer a track."""
        if producer.id in self.consumers:
            return
        consumer = self.new_consumer(producer)
        self._line(producer.kind).consumer = consumer
        self.register(consumer)
        self.change()

    def new_consumer(self, producer: Producer) -> Consumer:
        """A Consumer towards this transport."""
        hub = self._router.hub
        return Consumer(producer, self.transport, hub.udp.egress, hub.drops)

    def register(self, consumer: Consumer) -> None:
        """From now on it gets packets, and reports about its SSRCs."""
        producer = consumer.producer
        self.consumers[producer.id] = consumer
        self._by_ssrc[consumer.ssrc] = consumer
        self._by_ssrc[consumer.repairs.ssrc] = consumer
        producer.consumers.append(consumer)

    def _line(self, kind: str) -> Line:
        """An inactive m-line of `kind`, or a new one."""
        free = next((li for li in self._lines if li.kind == kind and li.consumer is None), None)
        if free is None:
            free = Line(str(len(self._lines)), kind)
            self._lines.append(free)
        return free

    def remove(self, producer: Producer) -> None:
        """Stop offering a track; its m-line may be taken by another."""
        consumer = self.consumers.pop(producer.id, None)
        if consumer is None:
            return
        self._by_ssrc.pop(consumer.ssrc, None)
        self._by_ssrc.pop(consumer.repairs.ssrc, None)
        if consumer in producer.consumers:
            producer.consumers.remove(consumer)
        for line in self._lines:
            if line.consumer is consumer:
                line.consumer = None
        self.change()

    # negotiation

    def change(self) -> None:
        """Something to offer changed."""
        if not self.closed and self._negotiation.step(Step.CHANGE):
            self._send_soon()

    def _send_soon(self) -> None:
        self._sending = asyncio.get_running_loop().call_soon(self._offer)

    def _offer(self) -> None:
        self._sending = None
        if self.closed:
            return
        self._negotiation.step(Step.SEND)
        self._text = offer_session(
            self._lines,
            self.transport,
            self._router.certificate.fingerprint(),
            self._router.candidates,
            self._negotiation.number,
            self._types,
        )
        self._repeats = 0
        self._emit()

    def _emit(self) -> None:
        self._offered_at = self._router.hub.clock()
        self._router.emit(
            OfferMade(
                self._router.name,
                self._participant.id,
                self._negotiation.offer_id,
                self._text,
                tuple(self._offered()),
            )
        )

    def _offered(self) -> list[OfferedTrack]:
        found = []
        for line in self._lines:
            if line.consumer is not None:
                p = line.consumer.producer
                found.append(OfferedTrack(line.mid, p.id, p.participant, p.kind, p.source))
        return found

    def answer(self, offer_id: str, text: str) -> None:
        """Take the browser's answer. Raises MediaError."""
        if not self._negotiation.waiting or offer_id != self._negotiation.offer_id:
            raise MediaError("conflict", "that offer is not waiting for an answer")
        # Lines added since the offer are not in the answer.
        lines = [li for li in self._lines if f"a=mid:{li.mid}\r\n" in self._text]
        answer = read_answer(text, lines)
        if not answer.fingerprints:
            raise MediaError("bad_request", "the answer has no fingerprint")
        begun = apply_answer(answer, lines)
        self.adaptation.accepted = takes_numbers(answer.session)
        self._remote_ufrag = answer.ufrag
        data = answer.session.media(DATA_MID)
        if data is not None and not data.rejected:
            limit = data.max_message_size or MAX_MESSAGE_BYTES
            self.transport.use_data(data.sctp_port or SCTP_PORT, limit)
        self.transport.start(answer.fingerprints, server=answer.setup != "passive")
        self._begin(begun)
        if self._negotiation.step(Step.ANSWER):
            self._send_soon()

    def restart(self) -> None:
        """New ICE credentials and a new offer; one without an answer is void."""
        self.transport.restart_ice()
        if self._negotiation.step(Step.RESTART):
            self._send_soon()

    def tick(self, now: float) -> None:
        """Notice silence, send reports, repeat an offer that got no answer."""
        self.transport.tick(now)
        if self.transport.connected:
            self.adaptation.tick(self.consumers.values(), now)
        if self.transport.connected and now >= self._report_at:
            self._report_at = now + REPORT_INTERVAL_S
            self._send_reports(now)
        if self._negotiation.waiting and now - self._offered_at > REPEAT_AFTER_S:
            if self._repeats < MAX_REPEATS:
                self._repeats += 1
                self._emit()
            else:
                self._offered_at = now

    def _send_reports(self, now: float) -> None:
        found = [(c, c.report(now)) for c in self.consumers.values() if c.accepted]
        told = [(c.producer, report) for c, report in found if report is not None]
        for start in range(0, len(told), REPORTS_PER_PACKET):
            some = told[start : start + REPORTS_PER_PACKET]
            names = [(r.ssrc, stream_name(p.participant, p.source).encode()) for p, r in some]
            reports = [report for _, report in some]
            self.transport.send_rtcp(rtcp.pack([*reports, rtcp.Sdes(tuple(names))]))

    # Listener

    def transport_connected(self, transport: Transport) -> None:
        """Media can flow: start every picture."""
        self._begin(self.consumers.values())
        self._router.transport_connected(self._participant, "subscribe")

    def _begin(self, consumers: Iterable[Consumer]) -> None:
        """Start these pictures."""
        hub = self._router.hub
        now = hub.clock()
        for consumer in consumers:
            consumer.begin(now)
        hub.udp.flush_soon()

    def transport_lost(self, transport: Transport, reason: str) -> None:
        """The browser is gone."""
        self._router.transport_lost(self._participant, "subscribe", reason)

    def channel_opened(self, channel: RTCDataChannel) -> None:
        """The browser opened a data channel."""
        self._router.channel_opened(self._participant, channel)

    def rtp_received(self, packet: rtp.Packet, now: float) -> None:
        """Nobody sends media here."""
        self._router.hub.drops.counts[DropReason.RTP_UNKNOWN_SSRC] += 1

    def rtcp_received(self, data: bytes, now: float) -> None:
        """Requests and reports of the receiving browser."""
        try:
            reports = rtcp.parse(data)
        except ValueError:
            self._router.hub.drops.counts[DropReason.RTCP_MALFORMED] += 1
            return
        for report in reports:
            self._report(report, now)

    def _report(self, report: rtcp.Report, now: float) -> None:
        if isinstance(report, rtcp.ReceiverReport | rtcp.SenderReport):
            for block in report.blocks:
                self._reported(block, now)
        elif isinstance(report, rtcp.TransportFeedback):
            self.adaptation.feedback(report, now)
        elif isinstance(report, rtcp.Remb):
            self.adaptation.remb(report, now)
        elif isinstance(report, rtcp.Nack):
            consumer = self._by_ssrc.get(report.media_ssrc)
            if consumer is not None:
                consumer.resend(report.sequences, now)
        elif isinstance(report, rtcp.Pli):
            self._keyframe(report.media_ssrc, now)
        elif isinstance(report, rtcp.Fir):
            for ssrc, _number in report.entries:
                self._keyframe(ssrc, now)

    def _reported(self, block: rtcp.ReportBlock, now: float) -> None:
        consumer = self._by_ssrc.get(block.ssrc)
        if consumer is not None and block.ssrc == consumer.ssrc:
            consumer.reported(block, now)
            self.adaptation.lost(consumer.lost_share, now)
            self.quality.add(consumer.lost_share, consumer.rtt_s, consumer.jitter_s)

    def _keyframe(self, ssrc: int, now: float) -> None:
        consumer = self._by_ssrc.get(ssrc)
        if consumer is not None:
            consumer.refresh(now)

    async def close(self) -> None:
        """Let go of every Producer and the Transport."""
        if self.closed:
            return
        self.closed = True
        self._negotiation.step(Step.CLOSE)
        if self._sending is not None:
            self._sending.cancel()
        for consumer in list(self.consumers.values()):
            if consumer in consumer.producer.consumers:
                consumer.producer.consumers.remove(consumer)
        self.consumers.clear()
        await self.transport.close()
