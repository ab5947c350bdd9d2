"""One incoming track of a Participant: its codec, its streams, and who gets copies."""

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from media.codecs import OUTGOING_EXTENSIONS
from media.drops import Drops
from media.events import Kind
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
        for consumer in self.consumers:
            consumer.stream_added()
        return stream

    def stream(self, rid: str) -> Stream | None:
        """The stream of a simulcast layer."""
        return next((s for s in self.streams if s.rid == rid), None)

    def request_keyframe(self, stream: Stream) -> None:
        """Ask the publisher for a keyframe of one layer."""
        if self.kind == "video":
            self._publisher.request_keyframe(stream.ssrc)

    def gap(self, stream: Stream, now: float) -> None:
        """Packets are missing: ask for them at once."""
        self._ask(stream, now)

    def _ask(self, stream: Stream, now: float) -> None:
        sequences = stream.tick(now)
        if sequences:
            self._publisher.ask_again(stream.ssrc, sequences)

    def tick(self, now: float) -> None:
        """Periodic work of every stream."""
        for stream in self.streams:
            self._ask(stream, now)

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
