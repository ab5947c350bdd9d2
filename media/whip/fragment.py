"""SDP fragments of PATCH: trickled candidates and ICE restarts (RFC 8840 section 9)."""

from dataclasses import dataclass

from media.wire import sdp

CONTENT_TYPE = "application/trickle-ice-sdpfrag"
_HEAD = "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\n"
_NO_MEDIA = "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n"


@dataclass(frozen=True, slots=True)
class Fragment:
    """The ICE credentials of a fragment; candidates do not matter to a lite agent."""

    ufrag: str
    pwd: str


def read_fragment(text: str) -> Fragment:
    """Read a fragment; credentials may stand before or in an m-line. Raises ValueError."""
    lines = text if text.endswith("\n") else text + "\r\n"
    medias = sdp.parse(_HEAD + lines).medias or sdp.parse(_HEAD + lines + _NO_MEDIA).medias
    first = medias[0]
    if not first.ice_ufrag or not first.ice_pwd:
        raise ValueError("the fragment has no ICE credentials")
    return Fragment(first.ice_ufrag, first.ice_pwd)


def ufrag_of(text: str) -> str:
    """The ICE ufrag of a whole description. Raises ValueError."""
    return next((media.ice_ufrag for media in sdp.parse(text).medias if media.ice_ufrag), "")


def with_credentials(offer: str, fragment: Fragment) -> str:
    """`offer` with other ICE credentials: what a restart changes. Raises ValueError."""
    session = sdp.parse(offer)
    for media in session.medias:
        media.ice_ufrag, media.ice_pwd = fragment.ufrag, fragment.pwd
        media.candidates = []
    return session.serialize()


def answer_fragment(answer: str) -> str:
    """What a restart's response tells of our side. Raises ValueError."""
    session = sdp.parse(answer)
    media = next(media for media in session.medias if not media.rejected)
    lines = ["a=ice-lite", f"a=ice-ufrag:{media.ice_ufrag}", f"a=ice-pwd:{media.ice_pwd}"]
    lines += [f"m={media.kind} {media.port} {media.protocol} 0", f"a=mid:{media.mid}"]
    lines += [f"a={candidate}" for candidate in media.candidates]
    lines.append("a=end-of-candidates")
    return "\r\n".join(lines) + "\r\n"
