"""One incoming SSRC: a Producer's only stream, or one of its simulcast layers."""

from typing import TYPE_CHECKING, Final, NamedTuple, cast

from media.batch import copy_of, in_order, is_run
from media.drops import DropReason, Drops
from media.flow.cache import Cache
from media.flow.keyframes import KeyframeRequests
from media.flow.nack import NackList
from media.flow.reports import Reception
from media.wire import rtcp, rtp
from media.wire.codecs import Frame, describe
from media.wire.seq import Unwrapper

if TYPE_CHECKING:
    from media.producer import Producer

CACHE_PACKETS: Final = 1024


class Entry(NamedTuple):
    """A packet as it is cached and forwarded: parsed once, renumbered once."""

    packet: rtp.Packet
    frame: Frame
    """Its `picture_id` and `tl0picidx` are extended: they do not wrap."""
    sequence: int
    """Extended."""


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
        self._cache: Cache[Entry] = Cache(CACHE_PACKETS)
        self._sequences = Unwrapper()
        self._picture_ids = Unwrapper(15)
        self._tl0picidx = Unwrapper(8)
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
            frame = self._describe(packet)
        except ValueError:
            counts[DropReason.RTP_MALFORMED] += 1
            return
        sequence = self._sequences.unwrap(packet.sequence)
        if self._cache.get(sequence, now) is not None:
            counts[DropReason.RTP_DUPLICATE] += 1
            return
        self._note(packet, sequence, now, repaired=repaired)
        producer.heard(packet, found, now)
        if frame is None:
            counts[DropReason.RTP_PADDING_ONLY] += 1
            for consumer in producer.consumers:
                consumer.skip(self, sequence)
            return
        if frame.keyframe and producer.kind == "video":
            self._keyframe(frame, sequence)
        entry = Entry(packet, frame, sequence)
        self._cache.add(sequence, entry, packet.end, now)
        if producer.muted:
            counts[DropReason.PRODUCER_MUTED] += 1
            return
        if not self.pending:
            producer.touched.append(self)
        self.pending.append(entry)

    def _describe(self, packet: rtp.Packet) -> Frame | None:
        """What the payload says; None for padding. Raises ValueError."""
        if packet.payload_offset >= packet.payload_end:
            return None
        name = self.producer.codec_name
        frame = describe(name, packet.data, packet.payload_offset, packet.payload_end)
        if frame.picture_id_bits == 15:
            frame.picture_id = self._picture_ids.unwrap(frame.picture_id)
        if frame.tl0picidx >= 0:
            frame.tl0picidx = self._tl0picidx.unwrap(frame.tl0picidx)
        return frame

    def _note(self, packet: rtp.Packet, sequence: int, now: float, *, repaired: bool) -> None:
        if repaired:
            self.repaired += 1
        else:
            self.reception.add(sequence, packet.timestamp, packet.end, now)
        if self.producer.repairs and self.nacks.add(sequence, now):
            self.producer.gap(self, now)

    def _keyframe(self, frame: Frame, sequence: int) -> None:
        self.keyframes.arrived()
        self.nacks.keyframe(sequence)
        if frame.width:
            self.width, self.height = frame.width, frame.height

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

    def need_keyframe(self, now: float) -> None:
        """A Consumer cannot go on without a keyframe of this stream."""
        if self.keyframes.ask(now):
            self.producer.request_keyframe(self)

    def forward(self, now: float) -> None:
        """Hand what came in this batch to every Consumer."""
        entries, self.pending = self.pending, []
        copies = [copy_of(entry.packet, entry.sequence) for entry in entries]
        plain, run = in_order(copies), is_run(copies)
        for consumer in self.producer.consumers:
            if not plain or not consumer.forward_plain(copies, now, run=run):
                consumer.forward(self, entries, now)

    def block(self, now: float) -> rtcp.ReportBlock:
        """How this stream is received, for the receiver report."""
        return rtcp.ReportBlock(self.ssrc, *self.reception.report(now))

    def tick(self, now: float) -> list[int]:
        """Repeat keyframe requests, let old packets go; 16-bit numbers to ask for again."""
        self._cache.tick(now)
        if self.keyframes.tick(now):
            self.producer.request_keyframe(self)
        wanted = self.nacks.tick(now)
        if wanted.gave_up:
            self.need_keyframe(now)
        return [sequence & 0xFFFF for sequence in wanted.sequences]
