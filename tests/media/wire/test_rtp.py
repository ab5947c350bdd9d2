"""RTP headers, extensions, patches and retransmissions."""

import pytest

from media.wire import rtp
from media.wire.extensions import (
    ExtensionMap,
    Uri,
    abs_send_time,
    audio_level,
    read_transport_seq,
    sdes_text,
    write_abs_send_time,
    write_transport_seq,
)
from tests.captures import load, names


def _packet(**changes: object) -> bytes:
    values: dict[str, object] = {
        "payload_type": 96,
        "sequence": 1000,
        "timestamp": 90_000,
        "ssrc": 0xDEAD_BEEF,
    }
    values.update(changes)
    return rtp.build(b"payload", **values)  # type: ignore[arg-type]


def test_parses_a_browsers_opus_packet() -> None:
    packet = rtp.parse(load("rtp_opus_audio_level"))
    assert packet.payload_type == 111
    found = {id_: (at, size) for id_, at, size in rtp.extensions(packet)}
    assert set(found) == {1, 2, 3, 4}
    level, voice = audio_level(packet.data, found[1][0])
    assert 0 <= level <= 127
    assert isinstance(voice, bool)
    assert sdes_text(packet.data, *found[4]) == "0"


def test_parses_two_byte_extensions() -> None:
    packet = rtp.parse(load("rtp_vp8_keyframe_two_byte_extensions"))
    assert packet.ext_profile == 0x1000
    at_and_size = rtp.find_extension(packet, 12)
    assert at_and_size is not None
    assert at_and_size[1] > 16


def test_padding_is_not_payload() -> None:
    packet = rtp.parse(load("rtp_padding_only"))
    assert packet.payload_offset == packet.payload_end
    assert packet.end > packet.payload_end


def test_csrcs_are_passed_over() -> None:
    plain = _packet()
    data = bytes([plain[0] | 2]) + plain[1:12] + bytes(8) + plain[12:]
    assert bytes(rtp.parse(data).payload) == b"payload"


@pytest.mark.parametrize("name", [n for n in names("malformed_rtp_") if "element" not in n])
def test_refuses_lies(name: str) -> None:
    with pytest.raises(ValueError):
        rtp.parse(load(name))


def test_refuses_an_extension_element_that_does_not_fit() -> None:
    packet = rtp.parse(load("malformed_rtp_extension_element"))
    with pytest.raises(ValueError):
        rtp.extensions(packet)


def test_parse_of_a_part_of_a_buffer() -> None:
    data = _packet()
    assert bytes(rtp.parse(bytearray(data + b"rest"), len(data)).payload) == b"payload"
    with pytest.raises(ValueError):
        rtp.parse(data, len(data) + 1)


@pytest.mark.parametrize("head", [b"\xf0", b"\x05"])
def test_reserved_ids_end_the_elements(head: bytes) -> None:
    data = bytearray(_packet(elements=[(3, b"a"), (4, b"b")]))
    data[18:19] = head  # where the second element starts
    assert rtp.extensions(rtp.parse(data)) == [(3, 17, 1)]


def test_patch_leaves_version_padding_and_extension_bits() -> None:
    data = bytearray(b"before" + _packet(elements=[(1, b"x")], padding_bytes=4))
    first = data[6]
    rtp.patch_header(data, 6, 111, 65535, 0xFFFF_FFFF, 1, 1)
    packet = rtp.parse(bytes(data[6:]))
    assert data[6] == first
    assert (packet.payload_type, packet.sequence, packet.marker) == (111, 65535, 1)
    assert (packet.timestamp, packet.ssrc) == (0xFFFF_FFFF, 1)


def test_extension_map_renumbers_and_blanks() -> None:
    data = bytearray(_packet(elements=[(3, b"m"), (5, b"abc"), (9, b"zz")]))
    packet = rtp.parse(data)
    ids = ExtensionMap({Uri.MID: 3, Uri.ABS_SEND_TIME: 5}, {Uri.ABS_SEND_TIME: 2})
    found = ids.rewrite(data, packet)
    assert not ids.same
    assert rtp.extensions(packet) == [(2, *found[2])]
    assert bytes(data[found[2][0] :][:3]) == b"abc"


def test_extension_map_keeps_the_two_byte_form() -> None:
    data = bytearray(load("rtp_vp8_keyframe_two_byte_extensions"))
    packet = rtp.parse(data)
    before = rtp.find_extension(packet, 12)
    ids = ExtensionMap({Uri.DEPENDENCY_DESCRIPTOR: 12}, {Uri.DEPENDENCY_DESCRIPTOR: 8})
    assert ids.rewrite(data, packet) == {8: before}
    assert [id_ for id_, _, _ in rtp.extensions(packet)] == [8]


def test_extension_map_refuses_ids_a_one_byte_element_cannot_have() -> None:
    with pytest.raises(ValueError):
        ExtensionMap({}, {Uri.MID: 15})


def test_values_written_in_place() -> None:
    data = bytearray(_packet(elements=[(2, bytes(3)), (3, bytes(2))]))
    (_, time_at, _), (_, seq_at, _) = rtp.extensions(rtp.parse(data))
    write_abs_send_time(data, time_at, abs_send_time(1.5))
    write_transport_seq(data, seq_at, 65535)
    assert data[time_at : time_at + 3] == b"\x06\x00\x00"
    assert read_transport_seq(data, seq_at) == 65535


def test_rtx_round_trip() -> None:
    original = rtp.parse(_packet(marker=1, elements=[(1, b"x")], padding_bytes=8))
    out = bytearray(200)
    size = rtp.rtx_wrap(original, out, payload_type=97, ssrc=7, sequence=5)
    wrapped = rtp.parse(out, size)
    assert (wrapped.payload_type, wrapped.ssrc, wrapped.sequence) == (97, 7, 5)
    data = rtp.rtx_unwrap(wrapped, payload_type=96, ssrc=0xDEAD_BEEF)
    assert data == _packet(marker=1, elements=[(1, b"x")])


def test_rtx_without_its_sequence_number() -> None:
    empty = rtp.parse(rtp.padding_packet(payload_type=97, sequence=1, timestamp=2, ssrc=3))
    assert rtp.rtx_unwrap(empty, payload_type=96, ssrc=1) is None
    short = rtp.parse(rtp.build(b"x", payload_type=97, sequence=1, timestamp=2, ssrc=3))
    with pytest.raises(ValueError):
        rtp.rtx_unwrap(short, payload_type=96, ssrc=1)
