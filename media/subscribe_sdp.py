"""Our offers on `subscribe`: m-lines that are reused, and what the answer says of each."""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from media.codecs import (
    OUTGOING_EXTENSIONS,
    PayloadTypes,
    extensions_of,
    rtx_codec,
    with_feedback,
)
from media.consumer import Consumer
from media.description import data_media, describe_transport
from media.errors import MediaError
from media.wire import sdp
from media.wire.extensions import Uri
from media.wire.sdp import Direction, Media, Session

if TYPE_CHECKING:
    from media.net.transport import Transport

MAX_STREAM_CHARS = 64
NUMBERED = "transport-cc"
"""The feedback on transport-wide numbers."""


@dataclass(slots=True)
class Line:
    """One m-line. Without a Consumer it is inactive and may be taken by another of its kind."""

    mid: str
    kind: str
    consumer: Consumer | None = None


def offer_session(
    lines: list[Line],
    transport: "Transport",
    fingerprint: tuple[str, str],
    candidates: list[str],
    version: int,
    types: PayloadTypes,
) -> str:
    """The text of an offer with every line."""
    session = Session(id=2, version=version, ice_lite=True, extmap_allow_mixed=True)
    session.attributes.append("msid-semantic: WMS *")
    for line in lines:
        media = data_media(line.mid) if line.kind == "application" else _track_media(line, types)
        describe_transport(media, transport, fingerprint, candidates, "actpass")
        session.medias.append(media)
        session.group.append(line.mid)
    return session.serialize()


def stream_name(participant: str, source: str) -> str:
    """The msid stream of a Participant's tracks: camera and microphone together, screens apart."""
    plain = participant.isascii() and participant.replace("_", "").replace("-", "").isalnum()
    if not plain or len(participant) > MAX_STREAM_CHARS:
        participant = hashlib.sha256(participant.encode()).hexdigest()[:32]
    return participant + ("-screen" if source.startswith("screen") else "")


def _track_media(line: Line, types: PayloadTypes) -> Media:
    media = Media(kind=line.kind, mid=line.mid, rtcp_mux=True, rtcp_rsize=True)
    consumer = line.consumer
    codec = consumer.producer.codec_name if consumer is not None else ""
    wanted = extensions_of(line.kind, codec)
    media.extensions = {OUTGOING_EXTENSIONS[uri]: uri for uri in wanted}
    numbers = types.assign(consumer.producer.codec) if consumer is not None else None
    if consumer is None or numbers is None:
        media.direction = Direction.INACTIVE
        media.codecs = list(types.last(line.mid))
    else:
        media.direction = Direction.SENDONLY
        _describe_consumer(media, consumer, numbers)
        types.remember(media.mid, media.codecs)
    return media


def _describe_consumer(media: Media, consumer: Consumer, numbers: tuple[int, int]) -> None:
    producer = consumer.producer
    payload_type, rtx = numbers
    consumer.payload_type = payload_type
    media.codecs = [with_feedback(media.kind, producer.codec, payload_type)]
    media.codecs[0].feedback.append(NUMBERED)
    stream = stream_name(producer.participant, producer.source)
    media.msid = (stream, producer.id)
    source = {"cname": stream, "msid": f"{stream} {producer.id}"}
    media.ssrcs = {consumer.ssrc: dict(source)}
    if media.kind == "video":
        media.codecs.append(rtx_codec(rtx, payload_type))
        media.ssrc_groups = [("FID", (consumer.ssrc, consumer.repairs.ssrc))]
        media.ssrcs[consumer.repairs.ssrc] = dict(source)


@dataclass(frozen=True, slots=True)
class Answer:
    """What matters of a browser's answer."""

    session: Session
    ufrag: str
    setup: str
    fingerprints: list[tuple[str, str]]


def read_answer(text: str, lines: list[Line]) -> Answer:
    """Read an answer to an offer with `lines`. Raises MediaError."""
    try:
        session = sdp.parse(text)
    except ValueError as error:
        raise MediaError("bad_request", f"bad SDP: {error}") from error
    if [m.mid for m in session.medias] != [line.mid for line in lines]:
        raise MediaError("bad_request", "the answer's m-lines are not the offer's")
    first = next((m for m in session.medias if m.ice_ufrag and m.fingerprints), None)
    if first is None:
        raise MediaError("bad_request", "the answer has no ICE credentials or fingerprint")
    prints = [(f.algorithm, f.value) for f in first.fingerprints]
    return Answer(session, first.ice_ufrag, first.setup, prints)


def takes_numbers(session: Session) -> bool:
    """Whether the other side tells when packets with our transport-wide numbers arrive."""
    return any(
        media.extensions.get(OUTGOING_EXTENSIONS[Uri.TRANSPORT_CC]) == Uri.TRANSPORT_CC
        and any(NUMBERED in codec.feedback for codec in media.codecs)
        for media in session.medias
        if media.kind == "video" and not media.rejected
    )


def apply_answer(answer: Answer, lines: list[Line]) -> list[Consumer]:
    """Tell each Consumer whether it was taken; returns those that now begin."""
    begun = []
    for line, media in zip(lines, answer.session.medias, strict=True):
        consumer = line.consumer
        if consumer is None:
            continue
        takes = media.direction.receives and not media.rejected
        accepted = takes and media.codec(consumer.payload_type) is not None
        rtx = media.rtx_of(consumer.payload_type)
        consumer.repairs.payload_type = rtx.payload_type if rtx is not None else None
        if accepted and not consumer.accepted:
            begun.append(consumer)
        consumer.accepted = accepted
    return begun
