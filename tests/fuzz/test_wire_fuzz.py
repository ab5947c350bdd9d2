"""Any bytes: only ValueError may escape a parser."""

import sys
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.wire import codecs, demux, rtcp, rtp, sdp, stun
from media.wire.codecs import h264, opus
from media.wire.codecs.dependency import DependencyReader
from media.wire.extensions import ExtensionMap, Uri
from tests.captures import load, names, stream
from tests.captures import sdp as load_sdp

CODECS = ["vp8", "vp9", "h264", "av1", "opus", "other"]
EVERYTHING = [load(name) for name in names("") if not name.startswith("stream_")]
STREAMS = {
    "vp8": "vp8_l1t3_dependency",
    "vp9": "vp9_l3t3_key",
    "h264": "h264",
    "av1": "av1_l2t2",
}


def _rtp(data: bytes) -> None:
    packet = rtp.parse(bytearray(data))
    assert 12 <= packet.payload_offset <= packet.payload_end <= packet.end == len(data)
    for _, at, size in rtp.extensions(packet):
        assert packet.ext_offset <= at <= at + size <= packet.ext_end
    rtp.rtx_unwrap(packet, payload_type=96, ssrc=1)
    ids = ExtensionMap({Uri.MID: 3, Uri.ABS_SEND_TIME: 2, Uri.RID: 200}, {Uri.MID: 7})
    copy = bytearray(data)
    ids.rewrite(copy, rtp.parse(copy))
    assert {id_ for id_, _, _ in rtp.extensions(rtp.parse(copy))} <= {7}
    for codec in CODECS:
        with suppress(ValueError):
            codecs.describe(codec, data, packet.payload_offset, packet.payload_end)


def _rtcp(data: bytes) -> None:
    for report in rtcp.parse(data):
        report.pack()


def _stun(data: bytes) -> None:
    message = stun.parse(data)
    stun.authentic(message, "x" * 22)
    if message.username is not None:
        stun.split_username(message.username)


def _demux(data: bytes) -> None:
    demux.classify(data)


def _dependency(data: bytes) -> None:
    reader = DependencyReader()
    for _ in range(2):
        reader.read(data).describe(codecs.Frame())


def _payloads(data: bytes) -> None:
    for codec in CODECS:
        with suppress(ValueError):
            frame = codecs.describe(codec, data, 0, len(data))
            assert frame.picture_id_offset < len(data)
            assert frame.tl0picidx_offset < len(data)
    with suppress(ValueError):
        opus.toc(data, 0, len(data))
    h264.sps_size(data)


PARSERS = [_rtp, _rtcp, _stun, _demux, _dependency, _payloads]


def _only_value_error(parser: Callable[[bytes], None], data: bytes) -> None:
    with suppress(ValueError):
        parser(data)


@pytest.mark.parametrize("parser", PARSERS)
@given(data=st.binary(max_size=200))
@settings(max_examples=300)
def test_any_bytes(parser: Callable[[bytes], None], data: bytes) -> None:
    _only_value_error(parser, data)


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    """A real packet with bytes changed, cut, repeated or put in."""
    data = bytearray(draw(st.sampled_from(EVERYTHING)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        what = draw(st.sampled_from(["set", "flip", "cut", "remove", "insert", "double"]))
        if what == "set" and data:
            data[at] = draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFE, 0xFF]))
        elif what == "flip" and data:
            data[at] ^= 1 << draw(st.integers(0, 7))
        elif what == "cut":
            del data[at:]
        elif what == "remove":
            del data[at : at + draw(st.integers(1, 8))]
        elif what == "insert":
            data[at:at] = draw(st.binary(min_size=1, max_size=8))
        elif what == "double":
            data[at:at] = data[at : at + draw(st.integers(1, 40))]
    return bytes(data[:1500])


@pytest.mark.parametrize("parser", PARSERS)
@given(data=mutations())
@settings(max_examples=300)
def test_mutated_packets(parser: Callable[[bytes], None], data: bytes) -> None:
    _only_value_error(parser, data)


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("data", EVERYTHING, ids=[n for n in names("") if n[:7] != "stream_"])
def test_every_cut_of_every_packet(parser: Callable[[bytes], None], data: bytes) -> None:
    for size in range(min(len(data), 160)):
        _only_value_error(parser, data[:size])


@pytest.mark.parametrize("codec", list(STREAMS))
def test_every_cut_of_every_payload(codec: str) -> None:
    for data in stream(STREAMS[codec])[:12]:
        packet = rtp.parse(data)
        for end in range(
            packet.payload_offset, min(packet.payload_end, packet.payload_offset + 80)
        ):
            with suppress(ValueError):
                codecs.describe(codec, data, packet.payload_offset, end)


LINES = [
    line
    for name in ("chromium_simulcast", "chromium_answer")
    for line in load_sdp(name).splitlines()
]


@given(st.text(max_size=300))
@settings(max_examples=300)
def test_any_text_as_sdp(text: str) -> None:
    for head in (
        "",
        "v=0\r\n",
        "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=",
        "candidate:1 1 udp ",
    ):
        with suppress(ValueError):
            sdp.parse(head + text)
        with suppress(ValueError):
            sdp.Candidate.parse(head + text)
    with suppress(ValueError):
        sdp.h264_level(text)


@st.composite
def mutated_sdps(draw: st.DrawFn) -> str:
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, len(lines) - 1))
        what = draw(st.sampled_from(["drop", "double", "swap", "text", "cut", "number"]))
        if what == "drop":
            del lines[at]
        elif what == "double":
            lines.insert(at, lines[at])
        elif what == "swap":
            other = draw(st.integers(0, len(lines) - 1))
            lines[at], lines[other] = lines[other], lines[at]
        elif what == "text":
            split = draw(st.integers(0, len(lines[at])))
            lines[at] = lines[at][:split] + draw(st.text(max_size=6)) + lines[at][split:]
        elif what == "cut":
            lines[at] = lines[at][: draw(st.integers(0, len(lines[at])))]
        else:
            number = draw(st.sampled_from(["-1", "0", "99999999999999999999", "1e9", "٣"]))
            lines[at] = lines[at].replace("9", number, 1)
    return "\r\n".join(lines) + "\r\n"


@given(mutated_sdps())
@settings(max_examples=300)
def test_mutated_sdp_is_refused_or_stable(text: str) -> None:
    try:
        session = sdp.parse(text)
    except ValueError:
        return
    again = sdp.serialize(session)
    assert sdp.parse(again) == session
    for media in session.medias:
        for codec in media.codecs:
            assert codec.apt is None or codec.apt >= 0
            sdp.matches(codec, media.codecs[0])


@pytest.mark.parametrize(
    "line",
    [
        "a=rtcp-fb:* {n}",
        "a=fmtp:96 a{n}=1",
        "a=ssrc:{n} cname:x",
        "a=ssrc-group:FID {n} 1",
        "a=rid:r{n} send",
        "a=extmap:1 urn:{n}",
        "a=candidate:{n}",
        "a=x-{n}",
        "a=ice-options:{n}",
        "a=rtpmap:96 VP8/90000",
        "a=simulcast:send {n};{n}",
    ],
)
def test_repetition_costs_no_more_than_its_length(line: str) -> None:
    """A quarter of a megabyte of one line, in an m-line with every payload type."""
    head = "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF " + " ".join(map(str, range(128))) + "\r\n"
    head += "".join(f"a=rtpmap:{n} VP8/90000\r\n" for n in range(128))
    lines = (sdp.MAX_BYTES - len(head)) // (len(line) + 8)
    text = head + "".join(line.format(n=n) + "\r\n" for n in range(lines))
    steps = _steps(text)
    assert steps < 40 * len(text)


def _steps(text: str) -> int:
    """Lines of Python run by parsing `text`, whether it is refused or not."""
    count = 0

    def tracer(*_: object) -> object:
        nonlocal count
        count += 1
        return tracer

    before = sys.gettrace()
    sys.settrace(tracer)  # type: ignore[arg-type]
    try:
        with suppress(ValueError):
            sdp.parse(text)
    finally:
        sys.settrace(before)
    return count
