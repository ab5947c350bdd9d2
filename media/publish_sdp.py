"""Offers on `publish`: what a browser's description says, and our answer to it, as values."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from media.codecs import INCOMING_FEEDBACK, accepted, choose, rtx_codec, with_feedback
from media.description import DATA_PROTOCOLS, data_media, describe_transport
from media.errors import MediaError
from media.events import Kind
from media.wire import sdp
from media.wire.sdp import Codec, Direction, Media, Rid, Session

if TYPE_CHECKING:
    from media.net.transport import Transport
    from media.producer import Producer

SOURCES = ("camera", "microphone", "screen", "screen_audio")
_DEFAULT_SOURCES = {"audio": "microphone", "video": "camera"}


@dataclass(frozen=True, slots=True)
class PublishedTrack:
    """One m-line of the answer that carries a track."""

    mid: str
    track: str
    kind: Kind
    source: str


@dataclass(slots=True)
class Section:
    """One m-line of an offer, read."""

    media: Media
    source: str = ""
    codec: Codec | None = None
    rtx_payload_type: int | None = None
    producer: "Producer | None" = None
    ssrcs: list[tuple[int, int]] = field(default_factory=list)
    """(media SSRC, its rtx SSRC or 0)."""

    @property
    def mid(self) -> str:
        """The m-line's name."""
        return self.media.mid

    @property
    def kind(self) -> Kind:
        """Of an m-line that is audio or video."""
        return cast("Kind", self.media.kind)

    @property
    def wanted(self) -> bool:
        """Whether the offerer sends here, something we forward."""
        return self.codec is not None and self.media.direction.sends and not self.media.rejected

    @property
    def rids(self) -> list[str]:
        """Simulcast layers, smallest first as browsers list them."""
        return [r.id for r in self.media.rids if r.direction == "send"]

    @property
    def extension_ids(self) -> dict[str, int]:
        """URI -> the offerer's id."""
        return self.media.extension_ids()

    @property
    def sctp_port(self) -> int | None:
        """Set when this is a data channel m-line."""
        if self.media.kind != "application" or self.media.protocol not in DATA_PROTOCOLS:
            return None
        return None if self.media.rejected else self.media.sctp_port or 5000

    @property
    def max_message_bytes(self) -> int:
        """What the offerer takes in one message; RFC 8841 says 64 KiB when it does not."""
        return self.media.max_message_size or 65_536

    def published(self) -> PublishedTrack:
        """For the caller. Only where there is a Producer."""
        assert self.producer is not None
        return PublishedTrack(self.mid, self.producer.id, self.kind, self.producer.source)


@dataclass(frozen=True, slots=True)
class Offer:
    """What matters of the whole description."""

    session: Session
    ufrag: str
    setup: str
    fingerprints: list[tuple[str, str]]

    def sections(self, sources: dict[str, str]) -> list[Section]:
        """One Section per m-line, in order."""
        return [_section(m, sources.get(m.mid, "")) for m in self.session.medias]


def read_offer(text: str) -> Offer:
    """Read an offer. Raises MediaError for one we cannot answer."""
    try:
        session = sdp.parse(text)
    except ValueError as error:
        raise MediaError("bad_request", f"bad SDP: {error}") from error
    used = [m for m in session.medias if not m.rejected] or session.medias
    if not used:
        raise MediaError("bad_request", "the offer has no m-line")
    mids = [m.mid for m in session.medias]
    if len(set(mids)) != len(mids) or "" in mids:
        raise MediaError("bad_request", "every m-line needs its own mid")
    first = next((m for m in used if m.ice_ufrag and m.fingerprints), None)
    if first is None:
        raise MediaError("bad_request", "the offer has no ICE credentials or fingerprint")
    prints = [(f.algorithm, f.value) for f in first.fingerprints]
    return Offer(session, first.ice_ufrag, first.setup, prints)


def check_source(source: str) -> None:
    """Raises MediaError for a word that names no source."""
    if source not in SOURCES:
        raise MediaError("bad_request", f"source is one of {', '.join(SOURCES)}")


def _section(media: Media, source: str) -> Section:
    section = Section(media, source or _DEFAULT_SOURCES.get(media.kind, ""))
    if media.kind in _DEFAULT_SOURCES:
        section.codec = choose(media)
    if section.codec is not None:
        rtx = media.rtx_of(section.codec.payload_type)
        section.rtx_payload_type = rtx.payload_type if rtx is not None else None
    if not section.rids:
        section.ssrcs = _ssrcs(media)
    return section


def _ssrcs(media: Media) -> list[tuple[int, int]]:
    repairs = {g[0]: g[1] for name, g in media.ssrc_groups if name == "FID" and len(g) == 2}
    repaired = set(repairs.values())
    return [(ssrc, repairs.get(ssrc, 0)) for ssrc in media.ssrcs if ssrc not in repaired]


def answer_session(
    sections: list[Section],
    transport: "Transport",
    fingerprint: tuple[str, str],
    candidates: list[str],
    version: int,
    *,
    passive: bool,
) -> str:
    """The text of the answer."""
    session = Session(id=1, version=version, ice_lite=True, extmap_allow_mixed=True)
    for section in sections:
        media = _answer_media(section)
        session.medias.append(media)
        if not media.rejected:
            session.group.append(media.mid)
            setup = "passive" if passive else "active"
            describe_transport(media, transport, fingerprint, candidates, setup)
    return session.serialize()


def _answer_media(section: Section) -> Media:
    offered = section.media
    if section.sctp_port is not None:
        return data_media(offered.mid, offered.protocol)
    rejected = section.codec is None or offered.rejected
    media = Media(
        kind=offered.kind,
        mid=offered.mid,
        port=0 if rejected else 9,
        protocol=offered.protocol,
        formats=list(offered.formats),
        direction=Direction.RECVONLY if section.producer is not None else Direction.INACTIVE,
        rtcp_mux=True,
        rtcp_rsize=offered.rtcp_rsize,
    )
    if rejected or section.codec is None:
        return media
    _answer_codecs(section, media)
    codec = section.codec.name.lower()
    media.extensions = {id_: uri for id_, uri in offered.extensions.items() if accepted(uri, codec)}
    if section.rids and section.producer is not None:
        media.rids = [Rid(rid, "recv") for rid in section.rids]
        media.simulcast_recv = [[rid] for rid in section.rids]
    return media


def _answer_codecs(section: Section, media: Media) -> None:
    assert section.codec is not None
    payload_type = section.codec.payload_type
    codec = with_feedback(media.kind, section.codec, payload_type)
    codec.feedback += [f for f in INCOMING_FEEDBACK if f in section.codec.feedback]
    media.codecs = [codec]
    if section.rtx_payload_type is not None:
        media.codecs.append(rtx_codec(section.rtx_payload_type, payload_type))
    media.formats = [str(c.payload_type) for c in media.codecs]
