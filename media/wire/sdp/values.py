"""What a session description says, as values an offer or answer is made of."""

import enum
from dataclasses import dataclass, field


class Direction(enum.StrEnum):
    """RFC 8866 section 6.7, from the describer's point of view."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @property
    def sends(self) -> bool:
        """Whether the describer sends."""
        return self in {Direction.SENDRECV, Direction.SENDONLY}

    @property
    def receives(self) -> bool:
        """Whether the describer receives."""
        return self in {Direction.SENDRECV, Direction.RECVONLY}

    @property
    def reversed(self) -> "Direction":
        """The same from the other side."""
        return _REVERSED[self]


_REVERSED = {
    Direction.SENDRECV: Direction.SENDRECV,
    Direction.SENDONLY: Direction.RECVONLY,
    Direction.RECVONLY: Direction.SENDONLY,
    Direction.INACTIVE: Direction.INACTIVE,
}


@dataclass(slots=True)
class Codec:
    """One payload type of an m-line (RFC 8866 section 6.6)."""

    payload_type: int
    name: str
    """As written (`VP8`, `opus`, `rtx`); compare with `lower()`."""
    clock_rate: int
    channels: int = 1
    fmtp: dict[str, str] = field(default_factory=dict)
    """Format parameters; a bare one (`111/111` of red) has the value ""."""
    feedback: list[str] = field(default_factory=list)
    """`nack`, `nack pli`, `ccm fir`, `goog-remb`, `transport-cc` …"""

    @property
    def apt(self) -> int | None:
        """The payload type an rtx codec repairs (RFC 4588 section 8.1)."""
        value = self.fmtp.get("apt", "")
        return int(value) if value.isascii() and value.isdigit() and len(value) <= 3 else None


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Hash of a DTLS certificate (RFC 8122)."""

    algorithm: str
    """Lower case: `sha-256`."""
    value: str
    """Upper-case hex pairs with colons."""


@dataclass(frozen=True, slots=True)
class Rid:
    """One restriction identifier (RFC 8851)."""

    id: str
    direction: str
    """`send` or `recv`, from the describer's point of view."""
    params: str = ""


@dataclass(slots=True)
class Media:
    """One m-line. Session-level ICE, DTLS and direction values are already folded in."""

    kind: str
    """`audio`, `video` or `application`."""
    mid: str = ""
    port: int = 9
    protocol: str = "UDP/TLS/RTP/SAVPF"
    formats: list[str] = field(default_factory=list)
    """The m-line's formats, for m-lines without known codecs (`webrtc-datachannel`)."""
    connection: str = "IN IP4 0.0.0.0"
    bandwidth: list[str] = field(default_factory=list)
    direction: Direction = Direction.SENDRECV
    setup: str = ""
    """`actpass`, `active`, `passive` or "" when not said."""
    ice_ufrag: str = ""
    ice_pwd: str = ""
    ice_options: list[str] = field(default_factory=list)
    fingerprints: list[Fingerprint] = field(default_factory=list)
    codecs: list[Codec] = field(default_factory=list)
    extensions: dict[int, str] = field(default_factory=dict)
    """Header extension id -> URI (RFC 8285 section 5)."""
    ssrcs: dict[int, dict[str, str]] = field(default_factory=dict)
    """SSRC -> source attributes such as cname and msid (RFC 5576)."""
    ssrc_groups: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)
    """(semantics, SSRCs): `FID` pairs media with rtx, `SIM` lists simulcast layers."""
    rids: list[Rid] = field(default_factory=list)
    simulcast_send: list[list[str]] = field(default_factory=list)
    """Streams in order, each its alternatives; a leading ~ means paused (RFC 8853)."""
    simulcast_recv: list[list[str]] = field(default_factory=list)
    msid: tuple[str, str] | None = None
    """(stream, track) (RFC 8830); the stream is "-" when the track is in none."""
    rtcp_mux: bool = False
    rtcp_rsize: bool = False
    bundle_only: bool = False
    sctp_port: int | None = None
    max_message_size: int | None = None
    candidates: list[str] = field(default_factory=list)
    """As written after `a=`, `candidate:` included; `Candidate.parse` reads one."""
    end_of_candidates: bool = False
    attributes: list[str] = field(default_factory=list)
    """Other `a=` lines as they were, without the `a=`."""

    @property
    def rejected(self) -> bool:
        """Port 0 without bundle-only: this m-line is not used (RFC 8829 section 5.2.2)."""
        return self.port == 0 and not self.bundle_only

    def codec(self, payload_type: int) -> Codec | None:
        """The codec with that payload type."""
        return next((c for c in self.codecs if c.payload_type == payload_type), None)

    def rtx_of(self, payload_type: int) -> Codec | None:
        """The rtx codec that repairs `payload_type`."""
        return next(
            (c for c in self.codecs if c.name.lower() == "rtx" and c.apt == payload_type), None
        )

    def extension_ids(self) -> dict[str, int]:
        """URI -> id, the other way round than `extensions`."""
        return {uri: id_ for id_, uri in self.extensions.items()}


@dataclass(slots=True)
class Session:
    """One whole description."""

    medias: list[Media] = field(default_factory=list)
    id: int = 0
    version: int = 0
    name: str = "-"
    ice_lite: bool = False
    group: list[str] = field(default_factory=list)
    """Mids of the BUNDLE group, in order (RFC 9143)."""
    extmap_allow_mixed: bool = False
    attributes: list[str] = field(default_factory=list)
    """Other session-level `a=` lines, without the `a=`."""

    def media(self, mid: str) -> Media | None:
        """The m-line with that mid."""
        return next((m for m in self.medias if m.mid == mid), None)

    def serialize(self) -> str:
        """The text, with CRLF line ends. Raises ValueError if a value holds a line break."""
        from media.wire.sdp.writing import serialize  # noqa: PLC0415 - writing needs the values

        return serialize(self)
