"""Text to Session. Every attribute the SFU acts on has one reader; the others are kept as text."""

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Final

from media.wire.sdp.numbers import number
from media.wire.sdp.values import Codec, Direction, Fingerprint, Media, Rid, Session

MAX_BYTES: Final = 256 * 1024
MAX_MEDIAS: Final = 256
MAX_FEEDBACK: Final = 32
"""Kinds per codec: browsers name five; each is looked for among the others."""
_LINE_END: Final = re.compile(r"\r\n|\n|\r")
_TOKEN: Final = re.compile(r"[!-~]{1,256}")
_HEX_PAIRS: Final = re.compile(r"[0-9A-F]{2}(:[0-9A-F]{2}){15,63}")
_ICE_CHARS: Final = re.compile(r"[A-Za-z0-9+/]{4,256}")
_RID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SETUPS: Final = frozenset({"actpass", "active", "passive", "holdconn"})
_STATIC: Final = {0: ("PCMU", 8000), 8: ("PCMA", 8000), 9: ("G722", 8000)}
"""RFC 3551 section 6: the payload types browsers still name without an rtpmap."""

Reader = Callable[[Media, str], None]


def parse(text: str) -> Session:
    """The description in `text`. Raises ValueError, also when it is too large."""
    if len(text) > MAX_BYTES or len(text.encode()) > MAX_BYTES:
        raise ValueError("SDP is too large")
    if "\0" in text:
        raise ValueError("SDP holds a zero byte")
    lines = [line for line in _LINE_END.split(text) if line]
    if not lines or lines[0] != "v=0":
        raise ValueError("SDP does not start with v=0")
    starts = [i for i, line in enumerate(lines) if line.startswith("m=")]
    if len(starts) > MAX_MEDIAS:
        raise ValueError("SDP has too many m-lines")
    head = lines[1 : starts[0]] if starts else lines[1:]
    session, defaults = _session(head)
    for start, end in pairwise([*starts, len(lines)]):
        session.medias.append(_media(lines[start:end], defaults))
    return session


def _attribute(line: str) -> tuple[str, str]:
    name, _, value = line[2:].partition(":")
    return name, value


def _check_line(line: str) -> None:
    if len(line) < 2 or line[1] != "=":
        raise ValueError("SDP line is not letter=value")


def _session(lines: list[str]) -> tuple[Session, Media]:
    """The session, and a Media with what its level says for all m-lines."""
    session, defaults = Session(), Media(kind="")
    for line in lines:
        _check_line(line)
        if line[0] == "o":
            _origin(session, line[2:])
        elif line[0] == "s":
            session.name = line[2:]
        elif line[0] == "a":
            _session_attribute(session, defaults, line)
    return session, defaults


def _origin(session: Session, value: str) -> None:
    parts = value.split()
    if len(parts) != 6:
        raise ValueError("SDP origin is not six words")
    session.id = number(parts[1], 0, 2**64 - 1)
    session.version = number(parts[2], 0, 2**64 - 1)


def _session_attribute(session: Session, defaults: Media, line: str) -> None:
    name, value = _attribute(line)
    if name == "group" and value.split()[:1] == ["BUNDLE"]:
        session.group = value.split()[1:]
    elif name == "ice-lite":
        session.ice_lite = True
    elif name == "extmap-allow-mixed":
        session.extmap_allow_mixed = True
    elif name in _INHERITED:
        _READERS[name](defaults, value)
    elif name in _DIRECTIONS:
        defaults.direction = Direction(name)
    else:
        session.attributes.append(line[2:])


def _media(lines: list[str], defaults: Media) -> Media:
    media = _m_line(lines[0], defaults.direction)
    codecs = _Codecs(media)
    for line in lines[1:]:
        _check_line(line)
        if line[0] == "c":
            media.connection = line[2:]
        elif line[0] == "b":
            media.bandwidth.append(line[2:])
        elif line[0] == "a" and not codecs.read(*_attribute(line)):
            _media_attribute(media, line)
    media.codecs = codecs.finish()
    if media.codecs:
        media.formats = []
    _inherit(media, defaults)
    return media


def _m_line(line: str, direction: Direction) -> Media:
    parts = line[2:].split()
    if len(parts) < 4 or not all(_TOKEN.fullmatch(part) for part in parts):
        raise ValueError("SDP m-line is not kind, port, protocol, formats")
    kind, port, protocol, *formats = parts
    return Media(
        kind=kind,
        port=number(port, 0, 65535),
        protocol=protocol,
        formats=formats,
        direction=direction,
    )


def _media_attribute(media: Media, line: str) -> None:
    name, value = _attribute(line)
    if name in _DIRECTIONS:
        media.direction = Direction(name)
    elif name in _READERS:
        _READERS[name](media, value)
    else:
        media.attributes.append(line[2:])


def _inherit(media: Media, defaults: Media) -> None:
    media.setup = media.setup or defaults.setup
    media.ice_ufrag = media.ice_ufrag or defaults.ice_ufrag
    media.ice_pwd = media.ice_pwd or defaults.ice_pwd
    media.ice_options = media.ice_options or list(defaults.ice_options)
    media.fingerprints = media.fingerprints or list(defaults.fingerprints)


class _Codecs:
    """Collects rtpmap, fmtp and rtcp-fb of one m-line, whatever their order."""

    def __init__(self, media: Media) -> None:
        self._is_rtp = "RTP/" in media.protocol
        self._codecs: dict[int, Codec] = {}
        self._fmtp: list[tuple[str, str]] = []
        self._feedback: dict[tuple[str, str], None] = {}
        if not self._is_rtp:
            return
        self._order = [number(text, 0, 127) for text in dict.fromkeys(media.formats)]
        for payload_type in self._order:
            if payload_type in _STATIC:
                self._codecs[payload_type] = Codec(payload_type, *_STATIC[payload_type])

    def read(self, name: str, value: str) -> bool:
        """Take the attribute if it is about codecs."""
        if not self._is_rtp or name not in {"rtpmap", "fmtp", "rtcp-fb"}:
            return False
        payload_type, _, rest = value.partition(" ")
        if name == "rtpmap":
            self._rtpmap(number(payload_type, 0, 127), rest.strip())
        elif name == "fmtp":
            self._fmtp.append((payload_type, rest))
        else:
            self._feedback[payload_type, " ".join(rest.split())] = None
        return True

    def _rtpmap(self, payload_type: int, text: str) -> None:
        name, clock_rate, *channels = text.split("/")
        if not _TOKEN.fullmatch(name) or len(channels) > 1:
            raise ValueError("SDP rtpmap is not name/clock/channels")
        self._codecs[payload_type] = Codec(
            payload_type,
            name,
            number(clock_rate, 1, 2**32 - 1),
            number(channels[0], 1, 255) if channels else 1,
        )

    def finish(self) -> list[Codec]:
        """The codecs in the m-line's order, without formats nothing describes."""
        if not self._is_rtp:
            return []
        for payload_type, text in self._fmtp:
            codec = self._codecs.get(number(payload_type, 0, 127))
            if codec is not None:
                codec.fmtp.update(_parameters(text))
        codecs = [self._codecs[pt] for pt in self._order if pt in self._codecs]
        for payload_type, feedback in self._feedback:
            if payload_type == "*":
                for codec in codecs:
                    _add_feedback(codec, feedback)
            else:
                _add_feedback(self._codecs.get(number(payload_type, 0, 127)), feedback)
        return codecs


def _add_feedback(codec: Codec | None, feedback: str) -> None:
    if codec is None or feedback in codec.feedback:
        return
    if len(codec.feedback) == MAX_FEEDBACK:
        raise ValueError("SDP codec with too much feedback")
    codec.feedback.append(feedback)


def _parameters(text: str) -> dict[str, str]:
    """`a=1;b=2` as a dict; names in lower case unless they are bare."""
    found: dict[str, str] = {}
    for part in text.split(";"):
        name, equals, value = part.strip().partition("=")
        if name:
            found[name.lower() if equals else name] = value.strip()
    return found


def _fingerprint(media: Media, value: str) -> None:
    algorithm, _, digest = value.partition(" ")
    digest = digest.strip().upper()
    if not _TOKEN.fullmatch(algorithm) or not _HEX_PAIRS.fullmatch(digest):
        raise ValueError("SDP fingerprint is not algorithm and hex pairs")
    media.fingerprints.append(Fingerprint(algorithm.lower(), digest))


def _setup(media: Media, value: str) -> None:
    if value not in _SETUPS:
        raise ValueError("SDP setup is not a role")
    media.setup = value


def _mid(media: Media, value: str) -> None:
    if not _TOKEN.fullmatch(value):
        raise ValueError("SDP mid is not a token")
    media.mid = value


def _ufrag(media: Media, value: str) -> None:
    if not _ICE_CHARS.fullmatch(value):
        raise ValueError("SDP ice-ufrag is not 4..256 ICE characters")
    media.ice_ufrag = value


def _pwd(media: Media, value: str) -> None:
    if not _ICE_CHARS.fullmatch(value) or len(value) < 22:
        raise ValueError("SDP ice-pwd is not 22..256 ICE characters")
    media.ice_pwd = value


def _ice_options(media: Media, value: str) -> None:
    media.ice_options = value.split()


def _extmap(media: Media, value: str) -> None:
    id_, _, rest = value.partition(" ")
    uri = rest.split()[:1]
    if not uri:
        raise ValueError("SDP extmap without a URI")
    media.extensions[number(id_.partition("/")[0], 1, 14_335)] = uri[0]


def _ssrc(media: Media, value: str) -> None:
    ssrc, _, attribute = value.partition(" ")
    name, _, text = attribute.strip().partition(":")
    if not name:
        raise ValueError("SDP ssrc without an attribute")
    media.ssrcs.setdefault(number(ssrc, 0, 2**32 - 1), {})[name] = text


def _ssrc_group(media: Media, value: str) -> None:
    semantics, *ssrcs = value.split() or [""]
    if not semantics:
        raise ValueError("SDP ssrc-group without semantics")
    media.ssrc_groups.append((semantics, tuple(number(s, 0, 2**32 - 1) for s in ssrcs)))


def _rid(media: Media, value: str) -> None:
    id_, direction, *params = value.split(maxsplit=2) if value.count(" ") else ("", "")
    if not _RID.fullmatch(id_) or direction not in {"send", "recv"}:
        raise ValueError("SDP rid is not an id and a direction")
    media.rids.append(Rid(id_, direction, params[0].strip() if params else ""))


def _simulcast(media: Media, value: str) -> None:
    parts = value.split()
    if not parts or len(parts) % 2 or set(parts[::2]) - {"send", "recv"}:
        raise ValueError("SDP simulcast is not direction and streams")
    for direction, text in zip(parts[::2], parts[1::2], strict=True):
        streams = [stream.split(",") for stream in text.split(";")]
        if not all(_RID.fullmatch(rid.removeprefix("~")) for s in streams for rid in s):
            raise ValueError("SDP simulcast names a bad rid")
        if direction == "send":
            media.simulcast_send = streams
        else:
            media.simulcast_recv = streams


def _msid(media: Media, value: str) -> None:
    stream, *track = value.split() or [""]
    if not stream:
        raise ValueError("SDP msid is empty")
    media.msid = (stream, track[0] if track else "")


def _rtcp_mux(media: Media, _: str) -> None:
    media.rtcp_mux = True


def _rtcp_rsize(media: Media, _: str) -> None:
    media.rtcp_rsize = True


def _bundle_only(media: Media, _: str) -> None:
    media.bundle_only = True


def _end_of_candidates(media: Media, _: str) -> None:
    media.end_of_candidates = True


def _sctp_port(media: Media, value: str) -> None:
    media.sctp_port = number(value, 0, 65535)


def _max_message_size(media: Media, value: str) -> None:
    media.max_message_size = number(value, 0, 2**64 - 1)


def _candidate(media: Media, value: str) -> None:
    media.candidates.append(f"candidate:{value}")


_DIRECTIONS: Final = frozenset(Direction)
_INHERITED: Final = frozenset({"fingerprint", "setup", "ice-ufrag", "ice-pwd", "ice-options"})
_READERS: Final[dict[str, Reader]] = {
    "fingerprint": _fingerprint,
    "setup": _setup,
    "mid": _mid,
    "ice-ufrag": _ufrag,
    "ice-pwd": _pwd,
    "ice-options": _ice_options,
    "extmap": _extmap,
    "ssrc": _ssrc,
    "ssrc-group": _ssrc_group,
    "rid": _rid,
    "simulcast": _simulcast,
    "msid": _msid,
    "rtcp-mux": _rtcp_mux,
    "rtcp-rsize": _rtcp_rsize,
    "bundle-only": _bundle_only,
    "end-of-candidates": _end_of_candidates,
    "sctp-port": _sctp_port,
    "max-message-size": _max_message_size,
    "candidate": _candidate,
}
