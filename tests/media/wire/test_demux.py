"""First-byte classification (RFC 7983)."""

import pytest

from media.wire.demux import Kind, classify
from tests.captures import load


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", Kind.JUNK),
        (b"\x80", Kind.JUNK),
        (b"\x00\x01" + bytes(18), Kind.STUN),
        (b"\x03\x01", Kind.STUN),
        (b"\x04\x01", Kind.JUNK),
        (b"\x10\x01", Kind.JUNK),
        (b"\x14\xfe", Kind.DTLS),
        (b"\x16\xfe\xfd", Kind.DTLS),
        (b"\x3f\x01", Kind.DTLS),
        (b"\x40\x01" + bytes(20), Kind.JUNK),
        (b"\x80\x60" + bytes(10), Kind.RTP),
        (b"\x80\x60" + bytes(9), Kind.JUNK),
        (b"\x80\xc8" + bytes(6), Kind.RTCP),
        (b"\x80\xdf" + bytes(6), Kind.RTCP),
        (b"\x80\xe0" + bytes(10), Kind.RTP),
        (b"\x80\xc8" + bytes(5), Kind.JUNK),
        (b"\xc0\x60" + bytes(20), Kind.JUNK),
    ],
)
def test_kind_by_first_byte(data: bytes, kind: Kind) -> None:
    assert classify(data) is kind


def test_real_packets() -> None:
    assert classify(load("rtp_opus_audio_level")) is Kind.RTP
    assert classify(load("rtcp_sender_report_sdes")) is Kind.RTCP
    assert classify(load("stun_binding_request")) is Kind.STUN


def test_length_of_a_shared_buffer() -> None:
    assert classify(bytearray(b"\x80\x60" + bytes(100)), 11) is Kind.JUNK
