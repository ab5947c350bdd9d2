"""A subscribe transport whose browser offers: one exchange, for WHEP (no later offers of ours).

Its m-lines keep their SSRCs; tracks of the Room take them as they come and go.
"""

import secrets
from dataclasses import dataclass, field

from media.codecs import (
    OUTGOING_EXTENSIONS,
    extensions_of,
    forwardable,
    rtx_codec,
    with_feedback,
)
from media.consumer import Consumer
from media.description import data_media, describe_transport
from media.errors import MediaError
from media.producer import Producer
from media.publish_sdp import Offer, Section
from media.subscribe_sdp import NUMBERED, takes_numbers
from media.subscriber import Subscriber
from media.wire.sdp import Codec, Direction, Media, Session, find_codec

STREAM = "room"


def _ssrc() -> int:
    return secrets.randbelow(0xFFFF_FFFE) + 1


@dataclass(slots=True)
class Slot:
    """One m-line of the viewer."""

    mid: str
    kind: str
    codecs: list[Codec]
    rtx: dict[int, int]
    """Payload type -> its rtx payload type."""
    ssrc: int = field(default_factory=_ssrc)
    rtx_ssrc: int = field(default_factory=_ssrc)
    consumer: Consumer | None = None


class Viewer(Subscriber):
    """Answers one offer, then fills its slots."""

    def change(self) -> None:
        """The browser offers here: there is nothing to send."""

    def view(self, offer: Offer) -> str:
        """Answer a receive-only offer with what the Room has. Raises MediaError."""
        if self._slots:
            raise MediaError("conflict", "this viewer has its answer")
        sections = offer.sections({})
        self._slots = [_slot(s.media) for s in sections if _wanted(s)]
        if not self._slots:
            raise MediaError("unsupported", "the offer receives nothing we can send")
        for section in sections:
            if section.sctp_port is not None:
                self.transport.use_data(section.sctp_port, section.max_message_bytes)
        self.adaptation.accepted = takes_numbers(offer.session)
        self.transport.start(offer.fingerprints, server=offer.setup != "passive")
        for producer in self._router.producers.values():
            if producer.participant != self._participant.id:
                self.add(producer)
        return self._text_of(sections, passive=offer.setup != "passive")

    # `__init__` of Subscriber runs before there are slots
    _slots: list[Slot] = []  # noqa: RUF012 - replaced, never changed in place

    def add(self, producer: Producer) -> None:
        """Show a track in the first free slot that can take its codec."""
        for slot in self._slots:
            if slot.consumer is None and slot.kind == producer.kind:
                codec = find_codec(producer.codec, slot.codecs)
                if codec is not None and producer.id not in self.consumers:
                    self._fill(slot, producer, codec)
                    return

    def _fill(self, slot: Slot, producer: Producer, codec: Codec) -> None:
        consumer = self.new_consumer(producer)
        consumer.ssrc, consumer.repairs.ssrc = slot.ssrc, slot.rtx_ssrc
        consumer.payload_type = codec.payload_type
        consumer.repairs.payload_type = slot.rtx.get(codec.payload_type)
        consumer.accepted = True
        slot.consumer = consumer
        self.register(consumer)
        consumer.need_keyframe(self._router.hub.clock())

    def remove(self, producer: Producer) -> None:
        """A track ended: its slot takes another of the Room."""
        for slot in self._slots:
            if slot.consumer is not None and slot.consumer.producer is producer:
                slot.consumer = None
        super().remove(producer)
        for other in self._router.producers.values():
            if other.participant != self._participant.id and other is not producer:
                self.add(other)

    def _text_of(self, sections: list[Section], *, passive: bool) -> str:
        session = Session(id=3, version=1, ice_lite=True, extmap_allow_mixed=True)
        slots = {slot.mid: slot for slot in self._slots}
        for section in sections:
            media = _answer(section, slots.get(section.mid))
            session.medias.append(media)
            if not media.rejected:
                session.group.append(media.mid)
                describe_transport(
                    media,
                    self.transport,
                    self._router.certificate.fingerprint(),
                    self._router.candidates,
                    "passive" if passive else "active",
                )
        return session.serialize()


def _wanted(section: Section) -> bool:
    media = section.media
    return section.codec is not None and media.direction.receives and not media.rejected


def _slot(media: Media) -> Slot:
    codecs = [c for c in media.codecs if forwardable(media.kind, c)]
    found = {c.payload_type: media.rtx_of(c.payload_type) for c in codecs}
    rtx = {pt: codec.payload_type for pt, codec in found.items() if codec is not None}
    return Slot(media.mid, media.kind, codecs, rtx)


def _answer(section: Section, slot: Slot | None) -> Media:
    offered = section.media
    if section.sctp_port is not None:
        return data_media(offered.mid, offered.protocol)
    media = Media(
        kind=offered.kind,
        mid=offered.mid,
        port=9 if slot is not None else 0,
        protocol=offered.protocol,
        formats=list(offered.formats),
        direction=Direction.SENDONLY if slot is not None else Direction.INACTIVE,
        rtcp_mux=True,
        rtcp_rsize=offered.rtcp_rsize,
    )
    if slot is not None:
        _describe(media, slot, section.extension_ids)
    return media


def _describe(media: Media, slot: Slot, offered_ids: dict[str, int]) -> None:
    for codec in slot.codecs:
        known = with_feedback(slot.kind, codec, codec.payload_type)
        known.feedback += [NUMBERED] * (NUMBERED in codec.feedback)
        media.codecs.append(known)
        rtx = slot.rtx.get(codec.payload_type)
        if rtx is not None:
            media.codecs.append(rtx_codec(rtx, codec.payload_type))
    # Packets carry our ids: an extension is only named where the offerer uses the same.
    wanted = extensions_of(slot.kind, "av1")
    media.extensions = {
        OUTGOING_EXTENSIONS[uri]: uri
        for uri in wanted
        if offered_ids.get(uri) == OUTGOING_EXTENSIONS[uri]
    }
    media.msid = (STREAM, slot.mid)
    source = {"cname": STREAM, "msid": f"{STREAM} {slot.mid}"}
    media.ssrcs = {slot.ssrc: dict(source)}
    if slot.rtx:
        media.ssrc_groups = [("FID", (slot.ssrc, slot.rtx_ssrc))]
        media.ssrcs[slot.rtx_ssrc] = dict(source)
