"""Session descriptions of browsers, and ones nobody should send."""

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection

from media.wire import sdp
from media.wire.sdp import Codec, Direction
from tests.captures import sdp as load

CHROMIUM = ["chromium_simulcast", "chromium_plain", "chromium_answer", "chromium_recvonly"]


@pytest.mark.parametrize("name", CHROMIUM)
def test_round_trip_is_stable(name: str) -> None:
    session = sdp.parse(load(name))
    text = sdp.serialize(session)
    assert sdp.parse(text) == session
    assert sdp.serialize(sdp.parse(text)) == text


async def test_aiortc_offer_round_trip() -> None:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    connection.addTransceiver("audio")
    connection.addTransceiver("video")
    connection.createDataChannel("data")
    try:
        await connection.setLocalDescription(await connection.createOffer())
        session = sdp.parse(connection.localDescription.sdp)
        assert [media.kind for media in session.medias] == ["audio", "video", "application"]
        assert sdp.parse(session.serialize()) == session
    finally:
        await connection.close()


def test_simulcast_offer() -> None:
    session = sdp.parse(load("chromium_simulcast"))
    audio, video, data = session.medias
    assert session.group == ["0", "1", "2"]
    assert session.extmap_allow_mixed
    assert (audio.kind, audio.mid, audio.direction) == ("audio", "0", Direction.SENDONLY)
    assert audio.codecs[0].name == "opus"
    assert audio.codecs[0].channels == 2
    assert audio.codecs[0].fmtp == {"minptime": "10", "useinbandfec": "1"}
    assert [rid.id for rid in video.rids] == ["q", "h", "f"]
    assert video.simulcast_send == [["q"], ["h"], ["f"]]
    assert video.extension_ids()["urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"] == 10
    assert video.rtx_of(96) == video.codec(97)
    assert len(video.fingerprints[0].value) == 95
    assert (data.sctp_port, data.max_message_size) == (5000, 262_144)
    assert data.formats == ["webrtc-datachannel"]


def test_session_level_transport_is_folded_into_each_media() -> None:
    text = (
        "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
        "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=setup:active\r\n"
        "a=fingerprint:SHA-256 " + ":".join(["ab"] * 32) + "\r\na=recvonly\r\n"
        "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n"
        "a=ice-ufrag:wxyz\r\na=inactive\r\na=rtpmap:96 VP8/90000\r\n"
    )
    audio, video = sdp.parse(text).medias
    assert (audio.ice_ufrag, video.ice_ufrag) == ("abcd", "wxyz")
    assert audio.ice_pwd == video.ice_pwd == "0123456789012345678901"
    assert audio.setup == "active"
    assert video.fingerprints[0].algorithm == "sha-256"
    assert (audio.direction, video.direction) == (Direction.RECVONLY, Direction.INACTIVE)
    assert audio.codecs[0].name == "PCMU"


def test_wildcard_feedback_and_attributes_in_any_order() -> None:
    text = (
        "v=0\no=- 1 2 IN IP4 0.0.0.0\ns=-\nt=0 0\nm=video 9 UDP/TLS/RTP/SAVPF 97 96\n"
        "a=fmtp:97 apt=96\na=rtcp-fb:* nack  pli\na=rtpmap:96 VP8/90000\na=rtpmap:97 rtx/90000\n"
    )
    (media,) = sdp.parse(text).medias
    assert [codec.payload_type for codec in media.codecs] == [97, 96]
    assert media.codecs[0].apt == 96
    assert media.codecs[1].feedback == ["nack pli"]


def test_bundle_only_is_not_rejected() -> None:
    head = "v=0\no=- 1 2 IN IP4 0.0.0.0\ns=-\nt=0 0\nm=audio 0 UDP/TLS/RTP/SAVPF 0\n"
    assert sdp.parse(head).medias[0].rejected
    assert not sdp.parse(head + "a=bundle-only\n").medias[0].rejected


def test_candidates() -> None:
    text = "candidate:1 1 UDP 2130706431 192.0.2.1 7882 typ host generation 0 ufrag ab"
    candidate = sdp.Candidate.parse("a=" + text)
    assert (candidate.host, candidate.port, candidate.protocol) == ("192.0.2.1", 7882, "udp")
    assert candidate.extensions == {"generation": "0", "ufrag": "ab"}
    assert sdp.Candidate.parse(candidate.serialize()) == candidate


@pytest.mark.parametrize(
    "text",
    [
        "",
        "candidate:",
        "candidate:1 1 udp x 1.2.3.4 9 typ host",
        "candidate:" + "1 " * 600,
        "candidate:1 1 udp 1 1.2.3.4 99999 typ host",
        "candidate:1 1 udp 1 1.2.3.4 9 typ host x",
    ],
)
def test_refuses_candidates(text: str) -> None:
    with pytest.raises(ValueError):
        sdp.Candidate.parse(text)


HEAD = "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
VIDEO = HEAD + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v=1\r\n",
        HEAD + "m=video\r\n",
        HEAD + "m=video 70000 UDP/TLS/RTP/SAVPF 96\r\n",
        HEAD + "m=video ٩ UDP/TLS/RTP/SAVPF 96\r\n",
        HEAD + "m=video 9 UDP/TLS/RTP/SAVPF 1_0\r\n",
        HEAD + "m=video 9 UDP/TLS/RTP/SAVPF 128\r\n",
        HEAD + "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" * 257,
        VIDEO + "nonsense\r\n",
        VIDEO + "a=rtpmap:96 VP8\r\n",
        VIDEO + "a=rtpmap:96 VP8/90000/2/3\r\n",
        VIDEO + "a=rtpmap:96 VP8/0\r\n",
        VIDEO + "a=extmap:0 urn:x\r\n",
        VIDEO + "a=extmap:1\r\n",
        VIDEO + "a=ssrc:4294967296 cname:x\r\n",
        VIDEO + "a=ssrc:1\r\n",
        VIDEO + "a=ssrc-group:\r\n",
        VIDEO + "a=rid:q\r\n",
        VIDEO + "a=rid:q sideways\r\n",
        VIDEO + "a=simulcast:send\r\n",
        VIDEO + "a=simulcast:send a;<script>\r\n",
        VIDEO + "a=fingerprint:sha-256 zz\r\n",
        VIDEO + "a=ice-ufrag:abc\r\n",
        VIDEO + "a=ice-pwd:short\r\n",
        VIDEO + "a=setup:maybe\r\n",
        VIDEO + "a=mid:\r\n",
        VIDEO + "a=msid:\r\n",
        VIDEO + "a=rtpmap:96 VP8/90000\r\n" + "".join(f"a=rtcp-fb:* {n}\r\n" for n in range(33)),
        VIDEO + "a=x:\0\r\n",
        VIDEO + "a=x:\ud800\r\n",
        "v=0\r\no=- 1 2\r\n",
        "v=0\r\n" + "a=x\r\n" * 60_000,
    ],
)
def test_refuses(text: str) -> None:
    with pytest.raises(ValueError):
        sdp.parse(text)


def test_a_line_break_in_a_value_cannot_be_written() -> None:
    session = sdp.parse(VIDEO)
    session.medias[0].attributes.append("x\r\na=ice-lite")
    with pytest.raises(ValueError):
        session.serialize()


def _h264(profile: str, mode: str = "1") -> Codec:
    fmtp = {"profile-level-id": profile, "packetization-mode": mode}
    return Codec(102, "H264", 90_000, fmtp=fmtp)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (_h264("42e01f"), _h264("42E034"), True),  # another level
        (_h264("42e01f"), _h264("4d8020"), True),  # both constrained baseline
        (_h264("42e01f"), _h264("42001f"), False),
        (_h264("42e01f"), _h264("42e01f", "0"), False),
        (_h264("64001f"), _h264("640c1f"), False),
        (_h264("zzzzzz"), _h264("ZZZZZZ"), True),
        (Codec(1, "VP9", 90_000), Codec(2, "vp9", 90_000, fmtp={"profile-id": "0"}), True),
        (Codec(1, "VP9", 90_000), Codec(2, "VP9", 90_000, fmtp={"profile-id": "2"}), False),
        (Codec(1, "AV1", 90_000), Codec(2, "AV1", 90_000, fmtp={"profile": "1"}), False),
        (Codec(1, "opus", 48_000, 2), Codec(2, "opus", 48_000, 1), False),
        (Codec(1, "VP8", 90_000), Codec(2, "VP8", 90_000), True),
    ],
)
def test_codec_matching(one: Codec, other: Codec, same: bool) -> None:
    assert sdp.matches(one, other) is same
    assert (sdp.find_codec(one, [other]) is other) is same


@pytest.mark.parametrize("text", ["", "42e01", "42e01g", "000000", "+2e01f"])
def test_refuses_profile_level_ids(text: str) -> None:
    with pytest.raises(ValueError):
        sdp.h264_level(text)
