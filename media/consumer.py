"""One outgoing copy of a Producer: chooses a stream, renumbers, encrypts into the egress arena."""

import secrets
from typing import Any, Final

from media.batch import Copy
from media.drops import DropReason, Drops
from media.flow.layers import Layer, SimulcastLayers, Size, Verdict, ceiling
from media.flow.reports import Transmission
from media.flow.seqmap import SeqMap
from media.flow.timeline import Timeline
from media.net.arena import SLOT_BITS, SLOT_BYTES
from media.net.egress import Egress
from media.net.srtp import new_length, protect
from media.net.transport import Transport
from media.producer import Producer
from media.stream import Entry, Stream
from media.wire import rtcp, rtp
from media.wire.codecs import vp8

MAX_TEMPORAL: Final = 7
_RESEND_MEMORY: Final = 512
_RESEND_SPACING_S: Final = 0.02
"""A NACK repeated faster than this crosses the packet on its way."""


class Numbers:
    """VP8's own counters, mapped like sequence numbers once packets are left out."""

    __slots__ = ("picture_ids", "tl0picidx")

    def __init__(self, entry: Entry) -> None:
        frame = entry.frame
        self.picture_ids = SeqMap(frame.picture_id_bits or 15, max(frame.picture_id, 0))
        self.tl0picidx = SeqMap(8, max(frame.tl0picidx, 0))


class Consumer:
    """Copies of `producer` for the Participant behind `transport`."""

    def __init__(
        self, producer: Producer, transport: Transport, egress: Egress, drops: Drops
    ) -> None:
        # passed in
        self.producer = producer
        self._transport = transport
        self._egress = egress
        self._drops = drops
        # made here
        self.ssrc = secrets.randbelow(0xFFFF_FFFE) + 1
        self.rtx_ssrc = secrets.randbelow(0xFFFF_FFFE) + 1
        self.payload_type = 0
        self.rtx_payload_type: int | None = None
        self.accepted = False
        """The subscriber's answer takes this track."""
        self.paused = False
        self._wish = Layer(MAX_TEMPORAL, MAX_TEMPORAL)
        self._layers = SimulcastLayers()
        self._sequences = SeqMap(16, secrets.randbelow(0x8000))
        self._timeline = Timeline(producer.codec.clock_rate, secrets.randbelow(1 << 32))
        self._numbers: Numbers | None = None
        self._rtx_sequence = secrets.randbelow(0x8000)
        self._resent: dict[int, float] = {}
        self._length: Any = new_length()
        self._plain = False
        """Every packet passes: nothing to choose, nothing to rewrite inside payloads."""
        self.sent = Transmission()
        self.resent = 0
        self.lost_share = 0.0
        """Of the latest receiver report, 0..1."""
        self.rtt_s = 0.0
        self.jitter_s = 0.0
        self.nacks = 0
        self.plis = 0
        self.stream_added()

    # choosing

    def stream_added(self) -> None:
        """The Producer's streams changed: aim within them."""
        top = max((s.rank for s in self.producer.streams), default=0)
        self._layers.target = Layer(min(self._wish.spatial, top), self._wish.temporal)
        self._plain = False

    def want(self, layer: Layer, now: float) -> None:
        """Aim at `layer` from now on."""
        self._wish = layer
        self.stream_added()
        self.need_keyframe(now)

    def pause(self, paused: bool, now: float) -> None:
        """Stop or resume; resuming starts at a keyframe."""
        if paused == self.paused:
            return
        self.paused = paused
        self._layers.current = -1
        self._plain = False
        if not paused:
            self.need_keyframe(now)

    def restart(self, now: float) -> None:
        """The source stops or begins again: go on at a keyframe, without a gap."""
        self._layers.current = -1
        self._plain = False
        if not self.producer.muted:
            self.need_keyframe(now)

    def wish(self, width: int, height: int, fps: int, now: float) -> None:
        """Aim at the least layer that fills the size; 0 means no limit."""
        streams = self.producer.streams
        sizes = [Size(s.width, s.height) for s in streams if s.width]
        if len(streams) < 2 or len(sizes) < len(streams) or not (width or height):
            self.want(Layer(MAX_TEMPORAL, MAX_TEMPORAL), now)
            return
        self.want(ceiling(sizes, 1, width=width, height=height, fps=fps)._replace(temporal=7), now)

    def need_keyframe(self, now: float) -> None:
        """Ask for what is needed to show the target layer."""
        wanted = self._layers.wants_keyframe
        if self.producer.kind != "video" or self.paused or wanted < 0:
            return
        stream = next((s for s in self.producer.streams if s.rank == wanted), None)
        if stream is not None:
            stream.need_keyframe(now)

    def refresh(self, now: float) -> None:
        """The subscriber's decoder is stuck: pass its request on."""
        self.plis += 1
        current = self._layers.current
        for stream in self.producer.streams:
            if stream.rank == current or current < 0:
                stream.need_keyframe(now)

    @property
    def current(self) -> Stream | None:
        """The stream that is forwarded now."""
        rank = self._layers.current
        return next((s for s in self.producer.streams if s.rank == rank), None)

    def skip(self, stream: Stream, sequence: int) -> None:
        """A packet of `stream` will not come: close the gap it would leave."""
        if stream.rank == self._layers.current:
            self._sequences.drop(sequence)

    # forwarding

    def forward_plain(self, copies: list[Copy], now: float, *, run: bool) -> bool:
        """The short way, when every packet passes with one shift; False: take the long one.

        `run`: the packets may leave as one segmented message.
        """
        transport = self._transport
        sending, destination = transport.sending, transport.destination
        if not self._plain or sending is None or destination is None or not self.accepted:
            return False
        first, last = copies[0], copies[-1]
        shift = self._shift(first[3], last[3])
        if shift is None:
            return False
        self._timeline.map(last[4], now)
        offset = self._timeline.offset
        egress, length, context = self._egress, self._length, sending.context
        view, pointers, lengths = egress.view, egress.pointers, egress.lengths
        payload_type, ssrc = self.payload_type, self.ssrc
        slot = egress.room(len(copies))
        octets = 0
        for pack, head, marker, sequence, timestamp, rest, size in copies:
            pack(
                view,
                slot << SLOT_BITS,
                head,
                marker | payload_type,
                sequence + shift & 0xFFFF,
                timestamp + offset & 0xFFFF_FFFF,
                ssrc,
                rest,
            )
            length[0] = size
            if protect(context, pointers[slot], length):
                self._drops.counts[DropReason.PROTECT_FAILED] += 1
                continue
            lengths[slot] = length[0]
            octets += size
            slot += 1
        self.sent.packets += slot - egress.slot
        self.sent.octets += octets
        if run and slot - egress.slot == len(copies):
            egress.commit_run(destination, slot)
        elif slot != egress.slot:
            egress.commit(destination, slot)
        return True

    def _shift(self, first: int, last: int) -> int | None:
        """What maps every number of `first..last`, which rise; None when that is not one shift."""
        sequences = self._sequences
        start = sequences.map(first)
        if start is None:
            return None
        end = sequences.map(last)
        if end is None or (end - start - last + first) & 0xFFFF:
            return None
        return start - first

    def forward(self, stream: Stream, entries: list[Entry], now: float) -> None:
        """Copy, patch and encrypt `entries` of one stream into the egress arena."""
        sending, destination = self._transport.sending, self._transport.destination
        if sending is None or destination is None or not self.accepted or self.paused:
            self._not_now(len(entries))
            return
        egress, length = self._egress, self._length
        view, pointers, lengths = egress.view, egress.pointers, egress.lengths
        context, sequences, stamp = sending.context, self._sequences.map, self._timeline.map
        patch, payload_type, ssrc = rtp.patch_header, self.payload_type, self.ssrc
        slot = first = egress.room(len(entries))
        octets = 0
        for entry in entries:
            if not self._plain and not self._choose(stream, entry, now):
                continue
            packet = entry.packet
            sequence = sequences(entry.sequence)
            if sequence is None:
                self._drops.counts[DropReason.TOO_OLD] += 1
                continue
            size, at = packet.end, slot * SLOT_BYTES
            view[at : at + size] = packet.data
            timestamp = stamp(packet.timestamp, now)
            patch(view, at, payload_type, sequence, timestamp, ssrc, packet.marker)
            if self._numbers is not None:
                self._renumber(self._numbers, entry, at)
            length[0] = size
            if protect(context, pointers[slot], length):
                self._drops.counts[DropReason.PROTECT_FAILED] += 1
                continue
            lengths[slot] = length[0]
            octets += size
            slot += 1
        if slot != first:
            self.sent.packets += slot - first
            self.sent.octets += octets
            egress.commit(destination, slot)

    def _not_now(self, count: int) -> None:
        if self.paused:
            reason = DropReason.CONSUMER_PAUSED
        elif not self.accepted:
            reason = DropReason.CODEC_NOT_OFFERED
        else:
            reason = DropReason.TRANSPORT_NOT_READY
        self._drops.counts[reason] += count

    def _choose(self, stream: Stream, entry: Entry, now: float) -> bool:
        """Whether this packet is forwarded; switches streams where it may."""
        frame, layers = entry.frame, self._layers
        video = self.producer.kind == "video"
        verdict = layers.offer(
            stream.rank,
            frame.temporal,
            start=frame.start,
            keyframe=frame.keyframe or not video,
            switch_up=frame.switch_up,
        )
        if verdict is Verdict.FORWARD:
            return True
        if verdict is Verdict.SWITCH:
            self._switch(stream, entry, now)
            return True
        if stream.rank == layers.current:
            self._sequences.drop(entry.sequence)
            if self._numbers is not None:
                self._numbers.picture_ids.drop(frame.picture_id)
            self._drops.counts[DropReason.LAYER_NOT_WANTED] += 1
        elif layers.current < 0:
            self._drops.counts[DropReason.WAITING_FOR_KEYFRAME] += 1
            stream.need_keyframe(now)
        else:
            self._drops.counts[DropReason.LAYER_NOT_WANTED] += 1
        return False

    def _switch(self, stream: Stream, entry: Entry, now: float) -> None:
        self._sequences.switch(stream.rank, entry.sequence)
        self._timeline.switch(entry.packet.timestamp, now)
        many = len(self.producer.streams) > 1 or bool(self.producer.rids)
        limited = self._wish.temporal < MAX_TEMPORAL
        self._plain = not many and not limited and self._numbers is None
        if (many or limited) and entry.frame.picture_id >= 0 and self.producer.codec_name == "vp8":
            if self._numbers is None:
                self._numbers = Numbers(entry)
            self._numbers.picture_ids.switch(stream.rank, entry.frame.picture_id)
            self._numbers.tl0picidx.switch(stream.rank, max(entry.frame.tl0picidx, 0))

    def _renumber(self, numbers: Numbers, entry: Entry, at: int) -> None:
        frame = entry.frame
        picture_id = numbers.picture_ids.map(frame.picture_id)
        tl0picidx = numbers.tl0picidx.map(max(frame.tl0picidx, 0))
        if picture_id is not None and tl0picidx is not None:
            vp8.rewrite(self._egress.view, at, frame, picture_id, tl0picidx)

    # repairing

    def resend(self, wanted: tuple[int, ...], now: float) -> None:
        """Answer a NACK from the cache: as rtx where negotiated, else once more as it was."""
        self.nacks += 1
        for out in wanted:
            if now - self._resent.get(out, -1.0) < _RESEND_SPACING_S:
                continue
            found = self._sequences.unmap(out)
            current = self.current
            if found is None or current is None or found[0] != current.rank:
                continue
            entry = current.cached(found[1], now)
            if entry is not None:
                self._remember(out, now)
                self._resend(entry, out, now)

    def _remember(self, out: int, now: float) -> None:
        if len(self._resent) >= _RESEND_MEMORY:
            self._resent.clear()
        self._resent[out] = now

    def _resend(self, entry: Entry, out: int, now: float) -> None:
        sending, destination = self._transport.sending, self._transport.destination
        if sending is None or destination is None:
            return
        packet, egress = entry.packet, self._egress
        slot = egress.room(1)
        at, size = slot * SLOT_BYTES, packet.end
        egress.view[at : at + size] = packet.data
        timestamp = (packet.timestamp + self._timeline.offset) & 0xFFFF_FFFF
        rtp.patch_header(
            egress.view, at, self.payload_type, out, timestamp, self.ssrc, packet.marker
        )
        if self._numbers is not None:
            self._renumber(self._numbers, entry, at)
        if self.rtx_payload_type is not None:
            size = self._wrap(packet, at, size, timestamp, out)
        self._length[0] = size
        if protect(sending.context, egress.pointers[slot], self._length):
            self._drops.counts[DropReason.PROTECT_FAILED] += 1
            return
        egress.lengths[slot] = self._length[0]
        egress.commit(destination, slot + 1)
        self.resent += 1

    def _wrap(self, packet: rtp.Packet, at: int, size: int, timestamp: int, out: int) -> int:
        """Turn the copy at `at` into a retransmission (RFC 4588 section 4); its new size."""
        assert self.rtx_payload_type is not None
        view, split = self._egress.view, at + packet.payload_offset
        view[split + 2 : at + size + 2] = bytes(view[split : at + size])
        view[split : split + 2] = out.to_bytes(2, "big")
        self._rtx_sequence = (self._rtx_sequence + 1) & 0xFFFF
        rtp.patch_header(
            view,
            at,
            self.rtx_payload_type,
            self._rtx_sequence,
            timestamp,
            self.rtx_ssrc,
            packet.marker,
        )
        return size + 2

    # reports

    def report(self, now: float) -> rtcp.SenderReport | None:
        """The next sender report; None while there is nothing to say."""
        current = self.current
        if current is None:
            return None
        clock = current.reception.clock
        info = self.sent.report(clock, self._timeline.offset, now)
        return None if info is None else rtcp.SenderReport(self.ssrc, *info)

    def reported(self, block: rtcp.ReportBlock, now: float) -> None:
        """The subscriber says how it receives this."""
        self.lost_share = block.fraction_lost / 256
        self.jitter_s = block.jitter / self.producer.codec.clock_rate
        rtt = self.sent.round_trip_s(block.last_sr, block.delay_since_sr, now)
        if rtt is not None:
            self.rtt_s = rtt
