"""Session to text, in the order browsers write."""

from collections.abc import Iterator

from media.wire.sdp.values import Codec, Media, Session


def serialize(session: Session) -> str:
    """The text, with CRLF line ends. Raises ValueError if a value holds a line break."""
    lines = list(_session_lines(session))
    for media in session.medias:
        lines.extend(_media_lines(media))
    if any("\r" in line or "\n" in line or "\0" in line for line in lines):
        raise ValueError("SDP value holds a line break")
    return "\r\n".join(lines) + "\r\n"


def _session_lines(session: Session) -> Iterator[str]:
    yield "v=0"
    yield f"o=- {session.id} {session.version} IN IP4 127.0.0.1"
    yield f"s={session.name}"
    yield "t=0 0"
    if session.group:
        yield "a=group:BUNDLE " + " ".join(session.group)
    if session.extmap_allow_mixed:
        yield "a=extmap-allow-mixed"
    if session.ice_lite:
        yield "a=ice-lite"
    for attribute in session.attributes:
        yield f"a={attribute}"


def _media_lines(media: Media) -> Iterator[str]:
    formats = [str(codec.payload_type) for codec in media.codecs] or media.formats or ["0"]
    yield f"m={media.kind} {media.port} {media.protocol} {' '.join(formats)}"
    yield f"c={media.connection}"
    for bandwidth in media.bandwidth:
        yield f"b={bandwidth}"
    for attribute in _attributes(media):
        yield f"a={attribute}"


def _attributes(media: Media) -> Iterator[str]:
    yield from _transport(media)
    if media.mid:
        yield f"mid:{media.mid}"
    for id_, uri in media.extensions.items():
        yield f"extmap:{id_} {uri}"
    if media.kind != "application" or media.direction != "sendrecv":
        yield str(media.direction)
    if media.msid is not None:
        yield f"msid:{' '.join(filter(None, media.msid))}"
    yield from _flags(media)
    for codec in media.codecs:
        yield from _codec(codec)
    yield from _sources(media)
    yield from media.attributes


def _transport(media: Media) -> Iterator[str]:
    yield from media.candidates
    if media.end_of_candidates:
        yield "end-of-candidates"
    if media.ice_ufrag:
        yield f"ice-ufrag:{media.ice_ufrag}"
    if media.ice_pwd:
        yield f"ice-pwd:{media.ice_pwd}"
    if media.ice_options:
        yield "ice-options:" + " ".join(media.ice_options)
    for fingerprint in media.fingerprints:
        yield f"fingerprint:{fingerprint.algorithm} {fingerprint.value}"
    if media.setup:
        yield f"setup:{media.setup}"


def _flags(media: Media) -> Iterator[str]:
    if media.bundle_only:
        yield "bundle-only"
    if media.rtcp_mux:
        yield "rtcp-mux"
    if media.rtcp_rsize:
        yield "rtcp-rsize"
    if media.sctp_port is not None:
        yield f"sctp-port:{media.sctp_port}"
    if media.max_message_size is not None:
        yield f"max-message-size:{media.max_message_size}"


def _codec(codec: Codec) -> Iterator[str]:
    channels = f"/{codec.channels}" if codec.channels > 1 else ""
    yield f"rtpmap:{codec.payload_type} {codec.name}/{codec.clock_rate}{channels}"
    for feedback in codec.feedback:
        yield f"rtcp-fb:{codec.payload_type} {feedback}"
    if codec.fmtp:
        parameters = (f"{k}={v}" if v else k for k, v in codec.fmtp.items())
        yield f"fmtp:{codec.payload_type} {';'.join(parameters)}"


def _sources(media: Media) -> Iterator[str]:
    for rid in media.rids:
        yield f"rid:{rid.id} {rid.direction} {rid.params}".rstrip()
    sides = (("send", media.simulcast_send), ("recv", media.simulcast_recv))
    said = [
        f"{side} {';'.join(','.join(s) for s in streams)}" for side, streams in sides if streams
    ]
    if said:
        yield "simulcast:" + " ".join(said)
    for semantics, ssrcs in media.ssrc_groups:
        yield f"ssrc-group:{' '.join((semantics, *map(str, ssrcs)))}"
    for ssrc, attributes in media.ssrcs.items():
        for name, value in attributes.items():
            yield f"ssrc:{ssrc} {name}:{value}" if value else f"ssrc:{ssrc} {name}"
