"""One outgoing copy of a Producer: chooses a stream, renumbers, encrypts into the egress arena."""

import secrets
from collections.abc import Iterable
from itertools import repeat
from typing import Any, Final

from media.batch import Batch, Entry
from media.drops import DropReason, Drops
from media.flow.allocator import Demand, Step
from media.flow.layers import Layer, SimulcastLayers, Size, SvcLayers, Verdict, ceiling
from media.flow.reports import Transmission
from media.flow.seqmap import SeqMap
from media.flow.timeline import Timeline
from media.net.arena import SLOT_BYTES
from media.net.egress import Egress
from media.net.srtp import new_length, protect
from media.net.transport import Transport
from media.net.udp import BATCH
from media.pictures import Pictures, pictures_of, write_all
from media.producer import Producer
from media.repairs import Repairs
from media.stream import Stream
from media.wire import rtcp, rtp

EVERYTHING: Final = Layer(7, 7)
_NO_NUMBERS: Final[Iterable[int]] = repeat(0)


class Consumer:
    """Copies of `producer` for the Participant behind `transport`."""

    def __init__(
        self, producer: Producer, transport: Transport, egress: Egress, drops: Drops
    ) -> None:
        # passed in
        self.producer = producer
        self.drops = drops
        self._transport = transport
        self._egress = egress
        # made here
        self.repairs = Repairs(self, transport, egress)
        self.ssrc = secrets.randbelow(0xFFFF_FFFE) + 1
        self.payload_type = 0
        self.accepted = False
        """The subscriber's answer takes this track."""
        self.paused = False
        self.priority = 0
        self._size = (0, 0, 0)
        """Width, height and fps it is shown with; 0 means no limit."""
        self._limit: Layer | None = EVERYTHING
        """What the subscriber's bandwidth allows; None for nothing at all."""
        layered = producer.codec_name in ("vp9", "av1") and not producer.rids
        self._layers: SimulcastLayers | SvcLayers = SvcLayers() if layered else SimulcastLayers()
        self.sequences = SeqMap(16, secrets.randbelow(0x8000))
        self._timeline = Timeline(producer.codec.clock_rate, secrets.randbelow(1 << 32))
        self._pictures: Pictures | None = None
        self._length: Any = new_length()
        self._source: Stream | None = None
        """Whose timestamps the timeline follows."""
        self._plain = False
        """Every packet of the current stream passes: nothing to choose."""
        self.sent = Transmission()
        self.lost_share = 0.0
        """Of the latest receiver report, 0..1."""
        self.rtt_s = 0.0
        self.jitter_s = 0.0
        self.nacks = 0
        self.plis = 0
        self.layers_changed()

    # choosing

    def layers_changed(self) -> None:
        """What the Producer sends, or what is wanted of it, changed: aim within it."""
        layers, wish = self._layers, self._wished()
        limit = self._limit or Layer(0, 0)
        spatial, temporal = min(wish.spatial, limit.spatial), min(wish.temporal, limit.temporal)
        if isinstance(layers, SimulcastLayers):
            ranks = self.producer.ranks()
            below = [rank for rank in ranks if rank <= spatial]
            spatial = below[-1] if below else next(iter(ranks), 0)
        else:
            spatial = min(spatial, self.producer.spatial)
            if self._plain:  # nobody told it what passed meanwhile
                layers.current = max(layers.current, self.producer.spatial)
        target = Layer(spatial, temporal)
        if target != layers.target:
            layers.target = target
            self._plain = False

    def _wished(self) -> Layer:
        """The least layer that fills the size."""
        width, height, fps = self._size
        sizes = [Size(*size) for size in self.producer.sizes()]
        if not sizes or not (width or height or fps):
            return EVERYTHING
        layers = self.producer.temporal + 1
        wanted = ceiling(sizes, layers, width=width, height=height, fps=fps)
        spatial = self.producer.rank(wanted.spatial) if width or height else EVERYTHING.spatial
        return Layer(spatial, EVERYTHING.temporal if wanted.temporal + 1 >= layers else wanted[1])

    def wish(self, width: int, height: int, fps: int, now: float) -> None:
        """Aim at the least layer that fills the size; 0 means no limit."""
        self._size = (width, height, fps)
        self.layers_changed()
        self.need_keyframe(now)

    def limit(self, layer: Layer | None, now: float) -> None:
        """What the bandwidth allows from now on; None stops it until there is more."""
        if layer == self._limit:
            return
        stopped, self._limit = self._limit is None, layer
        if layer is None or stopped:
            self._stop()
        self.layers_changed()
        self.need_keyframe(now)

    def demand(self) -> Demand | None:
        """What it could use of the subscriber's bandwidth; None for nothing now."""
        if self.paused or not self.accepted or self.producer.muted:
            return None
        wish = self._wished()
        steps = [
            Step(layer, int(bps))
            for layer, bps in self.producer.steps()
            if layer.spatial <= wish.spatial and layer.temporal <= wish.temporal
        ]
        return Demand(self.producer.id, self.priority, steps or [Step(Layer(0, 7), 0)])

    def pause(self, paused: bool, now: float) -> None:
        """Stop or resume; resuming starts at a keyframe."""
        if paused == self.paused:
            return
        self.paused = paused
        self.restart(now)

    def restart(self, now: float) -> None:
        """The source stops or begins again: go on at a keyframe, without a gap."""
        self._stop()
        if not self.producer.muted:
            self.need_keyframe(now)

    def _stop(self) -> None:
        self._layers.stop()
        self._plain = False

    def begin(self, now: float) -> None:
        """Start the picture: at a keyframe that came a moment ago, else at one to be asked for."""
        stream = self._awaited()
        if stream is not None and self._ready and self.accepted:
            entries = stream.fresh(now)
            for start in range(0, len(entries), BATCH):
                self.forward(stream, Batch(entries[start : start + BATCH], now), now)
        self.need_keyframe(now)

    def need_keyframe(self, now: float) -> None:
        """Ask for what is needed to show the target layer."""
        stream = self._awaited()
        if stream is not None:
            stream.need_keyframe(now)

    def _awaited(self) -> Stream | None:
        """The stream whose keyframe is needed to show the target layer."""
        wanted = self._layers.wants_keyframe
        if self.producer.kind != "video" or self.paused or self._limit is None or wanted < 0:
            return None
        return self.producer.ranked(wanted)

    def refresh(self, now: float) -> None:
        """The subscriber's decoder is stuck: pass its request on."""
        self.plis += 1
        (self.current or self).need_keyframe(now)

    @property
    def current(self) -> Stream | None:
        """The stream that is forwarded now."""
        layers = self._layers
        rank = layers.current if isinstance(layers, SimulcastLayers) else 0
        return self.producer.ranked(rank) if layers.started else None

    @property
    def _ready(self) -> bool:
        """Whether the transport can carry packets."""
        return self._transport.sending is not None and self._transport.destination is not None

    @property
    def timestamp_offset(self) -> int:
        """What is added to the current stream's timestamps."""
        return self._timeline.offset

    def skip(self, stream: Stream, sequence: int) -> None:
        """A packet of `stream` will not come: close the gap it would leave."""
        if stream is self.current:
            self.sequences.drop(sequence)

    # forwarding

    def forward(self, stream: Stream, batch: Batch, now: float) -> None:
        """Copy, patch and encrypt what is wanted of a batch into the egress arena."""
        if not self._ready or not self.accepted or self.paused or self._limit is None:
            self._not_now(batch.count)
        elif not self._plain:
            self._choose(stream, batch, now)
        elif stream is not self._source:
            self.drops.counts[DropReason.LAYER_NOT_WANTED] += batch.count
        elif not self._copy(batch, now):
            self._choose(stream, batch, now)

    def _copy(self, batch: Batch, now: float) -> bool:
        """The short way, when every packet passes with one shift; False: take the long one."""
        shift = self.sequences.shift(batch.first, batch.last) if batch.rising else None
        if shift is None:
            return False
        offset = self._timeline.shift(batch.timestamp, now)
        egress, history = self._egress, self._transport.history
        slot = egress.room(batch.count)
        view, at = egress.view, slot * SLOT_BYTES
        copies, numbers = batch.copies, _NO_NUMBERS
        if history is not None:
            copies, numbers = batch.marked, history.sent_batch(batch.sizes, batch.times)
        payload_type, ssrc = self.payload_type, self.ssrc
        for copy, number in zip(copies, numbers):  # noqa: B905 - an argument costs as much again
            pack, head, marker, sequence, timestamp, before, after = copy
            pack(
                view,
                at,
                head,
                marker | payload_type,
                sequence + shift & 0xFFFF,
                timestamp + offset & 0xFFFF_FFFF,
                ssrc,
                before,
                number,
                after,
            )
            at += SLOT_BYTES
        if self._pictures is not None:
            write_all(self._pictures, batch, view, egress.starts[slot : slot + batch.count])
        self._send(batch, slot)
        return True

    def _send(self, batch: Batch, slot: int) -> None:
        """Encrypt and commit the copies from `slot` on."""
        egress, transport, end = self._egress, self._transport, slot + batch.count
        sending, destination = transport.sending, transport.destination
        assert sending is not None
        assert destination is not None
        context = sending.context
        pointers, counters, lengths = egress.pointers, egress.counters, egress.lengths
        for at, size in enumerate(batch.sizes, slot):
            lengths[at] = size
            if protect(context, pointers[at], counters[at]):
                self.drops.counts[DropReason.PROTECT_FAILED] += batch.count
                return
        sent = self.sent
        sent.packets += batch.count
        sent.octets += batch.octets
        if batch.run:
            egress.commit_run(destination, end)
        else:
            egress.commit(destination, end)

    def _choose(self, stream: Stream, batch: Batch, now: float) -> None:
        """The long way: packet by packet."""
        egress, transport, counts = self._egress, self._transport, self.drops.counts
        assert transport.sending is not None
        assert transport.destination is not None
        context, length, history = transport.sending.context, self._length, transport.history
        slot = first = egress.room(batch.count)
        for entry in batch.entries:
            if not self._wants(stream, entry, now):
                continue
            sequence = self.sequences.map(entry.sequence)
            if sequence is None:
                counts[DropReason.TOO_OLD] += 1
                continue
            self._timeline.map(entry.packet.timestamp, now)
            self.write(entry, slot * SLOT_BYTES, sequence, now, self._marker(entry))
            if history is not None:
                number = history.sent(entry.packet.end, now)
                entry.room.number(egress.view, slot * SLOT_BYTES, number)
            length[0] = entry.packet.end
            if protect(context, egress.pointers[slot], length):
                counts[DropReason.PROTECT_FAILED] += 1
                continue
            egress.lengths[slot] = length[0]
            self.sent.add(entry.packet.end)
            slot += 1
        if slot != first:
            egress.commit(transport.destination, slot)
        self._plain = self._layers.settled(self.producer.spatial)

    def write(self, entry: Entry, at: int, sequence: int, now: float, marker: int) -> None:
        """Put a plain copy of a packet of the current stream at `at` of the arena."""
        view, packet = self._egress.view, entry.packet
        view[at : at + packet.end] = packet.data
        timestamp = packet.timestamp + self._timeline.offset & 0xFFFF_FFFF
        rtp.patch_header(view, at, self.payload_type, sequence, timestamp, self.ssrc, marker)
        if self._pictures is not None:
            self._pictures.write(view, at, entry)

    def _marker(self, entry: Entry) -> int:
        frame, layers = entry.frame, self._layers
        if isinstance(layers, SvcLayers) and layers.ends_picture(frame.spatial, end=frame.end):
            return 1
        return entry.packet.marker

    def _not_now(self, count: int) -> None:
        if self.paused:
            reason = DropReason.CONSUMER_PAUSED
        elif not self.accepted:
            reason = DropReason.CODEC_NOT_OFFERED
        elif self._limit is None:
            reason = DropReason.NO_BANDWIDTH
        else:
            reason = DropReason.TRANSPORT_NOT_READY
        self.drops.counts[reason] += count

    def _wants(self, stream: Stream, entry: Entry, now: float) -> bool:
        """Whether this packet is forwarded; switches streams where it may."""
        verdict = self._judge(stream, entry)
        if verdict is Verdict.FORWARD:
            return True
        if verdict is Verdict.SWITCH:
            self._switch(stream, entry, now)
            return True
        if not self._layers.started:
            self.drops.counts[DropReason.WAITING_FOR_KEYFRAME] += 1
            stream.need_keyframe(now)
            return False
        self.drops.counts[DropReason.LAYER_NOT_WANTED] += 1
        if stream is self.current:
            self.sequences.drop(entry.sequence)
            if self._pictures is not None:
                self._pictures.drop(entry)
        return False

    def _judge(self, stream: Stream, entry: Entry) -> Verdict:
        frame, layers = entry.frame, self._layers
        told: dict[str, Any] = {
            "start": frame.start,
            "keyframe": frame.keyframe or self.producer.kind != "video",
            "switch_up": frame.switch_up,
            "switch_to": frame.switch_to,
        }
        if isinstance(layers, SvcLayers):
            independent = frame.independent
            return layers.offer(frame.spatial, frame.temporal, independent=independent, **told)
        return layers.offer(stream.rank, frame.temporal, **told)

    def _switch(self, stream: Stream, entry: Entry, now: float) -> None:
        """`entry` is the first of a stream: everything goes on from here."""
        before, self._source = self._source, stream
        self.sequences.switch(stream.rank, entry.sequence)
        aligned = None
        if before is not None and before is not stream:
            clock = before.reception.clock
            aligned = stream.reception.clock.translate(entry.packet.timestamp, clock)
        self._timeline.switch(entry.packet.timestamp, now, aligned)
        if self._pictures is None:
            self._pictures = self._new_pictures(entry)
        if self._pictures is not None:
            self._pictures.switch(stream.rank, entry)

    def _new_pictures(self, entry: Entry) -> Pictures | None:
        """Counters to keep, where there may be a switch or frames are left out."""
        several = bool(self.producer.rids) or len(self.producer.streams) > 1
        choice = several or entry.frame.layered
        return pictures_of(self.producer.codec_name, entry) if choice else None

    # reports

    def resend(self, wanted: tuple[int, ...], now: float) -> None:
        """Answer a NACK."""
        self.nacks += 1
        self.repairs.answer(wanted, now)

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
