"""One incoming track of a Participant: its codec, its streams, and who gets copies."""

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from media.codecs import OUTGOING_EXTENSIONS
from media.drops import Drops
from media.events import Kind
from media.flow.layers import Layer
from media.flow.rates import SILENT_S
from media.stream import Stream
from media.wire import extensions, rtp
from media.wire.extensions import ExtensionMap
from media.wire.sdp import Codec

if TYPE_CHECKING:
    from media.consumer import Consumer
    from media.publisher import Publisher

MAX_STREAMS = 4
_TRANSPORT_ID = OUTGOING_EXTENSIONS[extensions.Uri.TRANSPORT_CC]
_LEVEL_ID = OUTGOING_EXTENSIONS[extensions.Uri.AUDIO_LEVEL]


class Producer:
    """A published track."""

    def __init__(
        self,
        *,
        participant: str,
        mid: str,
        kind: Kind,
        source: str,
        codec: Codec,
        rtx_payload_type: int | None,
        extension_ids: dict[str, int],
        rids: list[str],
        drops: Drops,
        touched: list[Stream],
        publisher: "Publisher",
        on_level: Callable[["Producer", int], None],
    ) -> None:
        # passed in
        self.id = f"tr_{uuid.uuid4().hex}"
        self.participant = participant
        self.mid = mid
        self.kind: Kind = kind
        self.source = source
        self.codec = codec
        self.payload_type = codec.payload_type
        self.codec_name = codec.name.lower()
        self.rtx_payload_type = rtx_payload_type
        self.rids = rids
        self.touched = touched
        self._drops = drops
        self._publisher = publisher
        self._on_level = on_level
        # made here
        self._incoming = extension_ids
        self.extension_map = ExtensionMap(extension_ids, OUTGOING_EXTENSIONS)
        self.streams: list[Stream] = []
        """Smallest layer first."""
        self.consumers: list[Consumer] = []
        self._steps: list[tuple[Layer, float]] | None = None
        """As of the latest tick: every subscriber asks."""
        self._sent: list[int] = []
        """Ranks that were being sent at the last tick."""
        self.muted = False
        self.repairs = any(f == "nack" for f in codec.feedback) and kind == "video"
        """Whether its publisher answers NACKs."""

    def add_stream(self, ssrc: int, rid: str = "") -> Stream | None:
        """A further SSRC of this track; None when it has too many already."""
        if len(self.streams) >= MAX_STREAMS:
            return None
        rank = self.rids.index(rid) if rid in self.rids else len(self.streams)
        stream = Stream(self, ssrc, rid, rank, self._drops)
        self.streams.append(stream)
        self.streams.sort(key=lambda s: s.rank)
        self.layers_changed()
        return stream

    def stream(self, rid: str) -> Stream | None:
        """The stream of a simulcast layer."""
        return next((s for s in self.streams if s.rid == rid), None)

    # layers

    def layers_changed(self) -> None:
        """A stream or a layer came or went: Consumers aim anew."""
        for consumer in self.consumers:
            consumer.layers_changed()

    def sized(self) -> None:
        """The size of a stream became known: the rids may have been listed largest first."""
        if len(self.streams) < 2 or not all(s.width for s in self.streams):
            return
        order = sorted(self.streams, key=lambda s: s.width)
        if [s.rank for s in order] != sorted(s.rank for s in order):
            for rank, stream in zip(sorted(s.rank for s in order), order, strict=True):
                stream.rank = rank
            self.streams = order
            for consumer in self.consumers:
                consumer.restart(self.heard_at)
        self.layers_changed()

    @property
    def heard_at(self) -> float:
        """When the latest packet came."""
        return max((s.rates.heard_at for s in self.streams), default=float("-inf"))

    def _active(self) -> list[Stream]:
        """Streams that are being sent, smallest first; all when none or only one is."""
        since = self.heard_at - SILENT_S
        return [s for s in self.streams if s.rates.heard_at >= since]

    def ranks(self) -> list[int]:
        """Ranks of the streams that are being sent, smallest first."""
        return [s.rank for s in self._active()]

    def ranked(self, rank: int) -> Stream | None:
        """The stream of that rank."""
        return next((s for s in self.streams if s.rank == rank), None)

    def rank(self, index: int) -> int:
        """The spatial layer of the n-th of `sizes`."""
        return self.streams[index].rank if len(self.streams) > 1 else index

    @property
    def layered(self) -> bool:
        """Whether there are pictures of several sizes to choose from."""
        return len(self.rids) > 1 or self.spatial > 0

    @property
    def bps(self) -> float:
        """What all of it brings."""
        return sum(s.rates.bps() for s in self.streams)

    @property
    def spatial(self) -> int:
        """The highest spatial layer within one stream."""
        return max((s.rates.spatial for s in self.streams), default=0)

    @property
    def temporal(self) -> int:
        """The highest temporal layer."""
        return max((s.rates.temporal for s in self.streams), default=0)

    def sizes(self) -> list[tuple[int, int]]:
        """(width, height) of each spatial layer, smallest first; empty while not all are known."""
        known = [(s.width, s.height) for s in self.streams if s.width]
        if len(known) < len(self.streams):
            return []
        if len(known) == 1 and self.spatial:
            (width, height), top = known[0], self.spatial
            return [(width >> top - n, height >> top - n) for n in range(top + 1)]
        return known

    def steps(self) -> list[tuple[Layer, float]]:
        """Each layer that can be had, and its bitrate; ascending."""
        if self._steps is None:
            self._steps = self._measured()
        return self._steps

    def _measured(self) -> list[tuple[Layer, float]]:
        active = self._active()
        if len(active) == 1 and not self.rids:
            return active[0].rates.steps()
        found: list[tuple[Layer, float]] = []
        for stream in active:
            for layer, bps in stream.rates.steps():
                if bps > (found[-1][1] if found else 0.0):
                    found.append((Layer(stream.rank, layer.temporal), bps))
        return found

    def request_keyframe(self, stream: Stream) -> None:
        """Ask the publisher for a keyframe of one layer."""
        if self.kind == "video":
            self._publisher.request_keyframe(stream.ssrc)

    def repair(self, stream: Stream, now: float) -> None:
        """Packets are missing: ask for those that are due."""
        self._ask(stream, now)

    def _ask(self, stream: Stream, now: float) -> None:
        sequences = stream.tick(now)
        if sequences:
            self._publisher.ask_again(stream.ssrc, sequences)

    def tick(self, now: float) -> None:
        """Periodic work of every stream."""
        self._steps = None
        for stream in self.streams:
            self._ask(stream, now)
        if len(self.streams) > 1:
            sent = self.ranks()
            if sent != self._sent:
                self._sent = sent
                self.layers_changed()
                for consumer in self.consumers:
                    consumer.need_keyframe(now)

    def arrived(self, packet: rtp.Packet, now: float) -> None:
        """Note the transport-wide number of a packet that was not renumbered. ValueError."""
        id_ = self._incoming.get(extensions.Uri.TRANSPORT_CC)
        at = rtp.find_extension(packet, id_) if id_ is not None else None
        if at is not None and at[1] == extensions.TRANSPORT_CC_BYTES:
            self._publisher.arrived(extensions.read_transport_seq(packet.data, at[0]), now)

    def heard(self, packet: rtp.Packet, found: dict[int, tuple[int, int]], now: float) -> None:
        """Note the transport-wide number and the audio level of a packet."""
        at = found.get(_TRANSPORT_ID)
        if at is not None and at[1] == extensions.TRANSPORT_CC_BYTES:
            self._publisher.arrived(extensions.read_transport_seq(packet.data, at[0]), now)
        at = found.get(_LEVEL_ID)
        if at is not None and self.kind == "audio" and not self.muted:
            level, _voice = extensions.audio_level(packet.data, at[0])
            self._on_level(self, level)
