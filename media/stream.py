"""One incoming SSRC: a Producer's only stream, or one of its simulcast layers."""

from typing import TYPE_CHECKING, Final, cast

from media.batch import Batch, Entry
from media.codecs import OUTGOING_EXTENSIONS
from media.drops import DropReason, Drops
from media.flow.cache import Cache
from media.flow.keyframes import KeyframeRequests
from media.flow.nack import NackList
from media.flow.rates import LayerRates
from media.flow.reports import Reception
from media.net.arena import MAX_PACKET_BYTES
from media.stamps import with_room
from media.wire import rtcp, rtp
from media.wire.codecs import Frame, describe
from media.wire.codecs.dependency import DependencyReader
from media.wire.extensions import Uri
from media.wire.seq import Unwrapper

if TYPE_CHECKING:
    from media.producer import Producer

CACHE_PACKETS: Final = 1024
FRESH_S: Final = 0.3
"""A keyframe that came this lately is not asked for again: browsers ignore a second request that
comes sooner, and a picture that starts so far back has caught up before anyone sees it."""
_DEPENDENCY_ID: Final = OUTGOING_EXTENSIONS[Uri.DEPENDENCY_DESCRIPTOR]


class Stream:
    """Receives the packets of one SSRC for `producer`, and remembers the latest of them."""

    def __init__(self, producer: "Producer", ssrc: int, rid: str, rank: int, drops: Drops) -> None:
        # passed in
        self.producer = producer
        self.ssrc = ssrc
        self.rid = rid
        self.rank = rank
        """0 is the smallest layer."""
        self._drops = drops
        # made here
        self.rtx_ssrc = 0
        self.pending: list[Entry] = []
        self.keyframes = KeyframeRequests()
        self.nacks = NackList()
        self.reception = Reception(producer.codec.clock_rate)
        self.rates = LayerRates()
        self._dependencies = DependencyReader() if producer.codec_name == "av1" else None
        self._frame_numbers = Unwrapper()
        self._cache: Cache[Entry] = Cache(CACHE_PACKETS)
        self._sequences = Unwrapper()
        self._picture_ids = Unwrapper(15)
        self._tl0picidx = Unwrapper(8)
        self._keyframe_at = float("-inf")
        self._keyframe_from = 0
        """When the latest keyframe came, and its first packet."""
        self.repaired = 0
        """Packets that came as retransmissions."""
        self.width = 0
        self.height = 0

    def receive(self, packet: rtp.Packet, now: float) -> None:
        """One packet with this SSRC."""
        self._receive(packet, now, repaired=False)

    def _receive(self, packet: rtp.Packet, now: float, *, repaired: bool) -> None:
        """Renumber, describe, cache, queue for the Consumers."""
        producer, counts = self.producer, self._drops.counts
        if packet.payload_type != producer.payload_type:
            counts[DropReason.RTP_UNKNOWN_PAYLOAD] += 1
            return
        try:
            found = producer.extension_map.rewrite(cast("bytearray", packet.data), packet)
            frame = self._describe(packet, found)
        except ValueError:
            counts[DropReason.RTP_MALFORMED] += 1
            return
        sequence = self._sequences.unwrap(packet.sequence)
        if self._cache.get(sequence, now) is not None:
            counts[DropReason.RTP_DUPLICATE] += 1
            return
        self._note(packet, sequence, now, repaired=repaired)
        producer.heard(packet, found, now)
        packet, room, moved = with_room(packet, found)
        if packet.end > MAX_PACKET_BYTES:
            counts[DropReason.TOO_LARGE] += 1
            return
        if frame is None:
            counts[DropReason.RTP_PADDING_ONLY] += 1
            for consumer in producer.consumers:
                consumer.skip(self, sequence)
            return
        if producer.kind == "video":
            self._layers(frame, packet.end, now)
            if frame.keyframe:
                self._keyframe(frame, sequence, now)
        else:
            self.rates.add(0, 0, packet.end, now)
        frame.move(moved)
        entry = Entry(packet, frame, sequence, room)
        self._cache.add(sequence, entry, packet.end, now)
        self._queue(entry)

    def _queue(self, entry: Entry) -> None:
        """For the Consumers, at the end of the wake-up."""
        producer = self.producer
        if producer.muted:
            self._keyframe_at = float("-inf")  # nobody sees what came meanwhile, not later either
            self._drops.counts[DropReason.PRODUCER_MUTED] += 1
            return
        if not self.pending:
            producer.touched.append(self)
        self.pending.append(entry)

    def _describe(self, packet: rtp.Packet, found: dict[int, tuple[int, int]]) -> Frame | None:
        """What payload and descriptor say; None for padding. Raises ValueError."""
        if packet.payload_offset >= packet.payload_end:
            return None
        name = self.producer.codec_name
        frame = describe(name, packet.data, packet.payload_offset, packet.payload_end)
        if frame.picture_id_bits == 15:
            frame.picture_id = self._picture_ids.unwrap(frame.picture_id)
        if frame.tl0picidx >= 0:
            frame.tl0picidx = self._tl0picidx.unwrap(frame.tl0picidx)
        at = found.get(_DEPENDENCY_ID)
        if at is not None and self._dependencies is not None:
            self._depend(self._dependencies, frame, packet, at)
        return frame

    def _depend(
        self, reader: DependencyReader, frame: Frame, packet: rtp.Packet, at: tuple[int, int]
    ) -> None:
        """Let the dependency descriptor say what it knows better than the payload."""
        offset, size = at
        try:
            reader.read(packet.data[offset : offset + size]).describe(frame)
        except ValueError:  # its keyframe was lost: the payload is all there is to go by
            return
        frame.number = self._frame_numbers.unwrap(frame.number)
        frame.number_offset = offset + 1

    def _layers(self, frame: Frame, size_bytes: int, now: float) -> None:
        """Note which layer a packet brings; a new one is aimed at by those who want it."""
        rates = self.rates
        layers = rates.spatial, rates.temporal
        rates.add(frame.spatial, frame.temporal, size_bytes, now)
        if layers != (rates.spatial, rates.temporal):
            self.producer.layers_changed()

    def _note(self, packet: rtp.Packet, sequence: int, now: float, *, repaired: bool) -> None:
        if repaired:
            self.repaired += 1
        else:
            self.reception.add(sequence, packet.timestamp, packet.end, now)
        if self.producer.repairs and (self.nacks.add(sequence, now) or now >= self.nacks.due_at):
            self.producer.repair(self, now)

    def _keyframe(self, frame: Frame, sequence: int, now: float) -> None:
        self._keyframe_at, self._keyframe_from = now, sequence
        self.keyframes.arrived()
        self.nacks.keyframe(sequence)
        if frame.width:
            known, (self.width, self.height) = self.width, (frame.width, frame.height)
            if known != self.width:
                self.producer.sized()

    def repair(self, packet: rtp.Packet, now: float) -> None:
        """One packet of the retransmission SSRC: unwrap it and take it as the original."""
        producer = self.producer
        try:
            producer.arrived(packet, now)
            data = rtp.rtx_unwrap(packet, payload_type=producer.payload_type, ssrc=self.ssrc)
            if data is None:
                self._drops.counts[DropReason.RTP_PADDING_ONLY] += 1
                return
            original = rtp.parse(bytearray(data))
        except ValueError:
            self._drops.counts[DropReason.RTX_MALFORMED] += 1
            return
        self._receive(original, now, repaired=True)

    def cached(self, sequence: int, now: float) -> Entry | None:
        """The packet with that extended sequence number, if it is not too old."""
        return self._cache.get(sequence, now)

    def fresh(self, now: float) -> list[Entry]:
        """What came since a keyframe that is still fresh, and was forwarded already."""
        if now - self._keyframe_at > FRESH_S:
            return []
        found = self._cache.since(self._keyframe_from, now)
        return [entry for entry in found if entry not in self.pending]

    def need_keyframe(self, now: float) -> None:
        """A Consumer cannot go on without a keyframe of this stream."""
        if self.keyframes.ask(now):
            self.producer.request_keyframe(self)

    def forward(self, now: float) -> None:
        """Hand what came in this batch to every Consumer."""
        entries, self.pending = self.pending, []
        batch = Batch(entries, now)
        for consumer in self.producer.consumers:
            consumer.forward(self, batch, now)

    def block(self, now: float) -> rtcp.ReportBlock:
        """How this stream is received, for the receiver report."""
        return rtcp.ReportBlock(self.ssrc, *self.reception.report(now))

    def tick(self, now: float) -> list[int]:
        """Repeat keyframe requests, let old packets go; 16-bit numbers to ask for again."""
        self._cache.tick(now)
        self.rates.tick(now)
        if self.keyframes.tick(now):
            self.producer.request_keyframe(self)
        wanted = self.nacks.tick(now)
        if wanted.gave_up:
            self.need_keyframe(now)
        return [sequence & 0xFFFF for sequence in wanted.sequences]
