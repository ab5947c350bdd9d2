"""Payload inspection, on what browsers send and by table."""

import pytest

from media.wire import codecs, rtp
from media.wire.codecs import Frame, dependency, h264, opus, vp8
from media.wire.codecs.dependency import DependencyReader
from tests.captures import DEPENDENCY_ID, load, stream


def _describe(codec: str, data: bytes) -> Frame:
    packet = rtp.parse(data)
    return codecs.describe(codec, data, packet.payload_offset, packet.payload_end)


def _payload(codec: str, payload: bytes) -> Frame:
    return codecs.describe(codec, payload, 0, len(payload))


def _described(codec: str, name: str) -> list[Frame]:
    """The frames of a stream, as the payload and the dependency descriptor tell them."""
    reader = DependencyReader()
    frames = []
    for data in stream(name):
        frame = _describe(codec, data)
        at = rtp.find_extension(rtp.parse(data), DEPENDENCY_ID)
        if at is not None:
            reader.read(data[at[0] : at[0] + at[1]]).describe(frame)
        frames.append(frame)
    return frames


def test_vp8_keyframe_with_its_size() -> None:
    frame = _describe("vp8", load("rtp_vp8_keyframe_640x360"))
    assert frame.keyframe
    assert frame.start
    assert (frame.width, frame.height) == (640, 360)


def test_vp8_descriptor_of_15_bits() -> None:
    frame = _describe("vp8", load("rtp_vp8_tl0_sync_15bit"))
    assert not frame.keyframe
    assert (frame.picture_id, frame.picture_id_bits, frame.tl0picidx) == (0x102, 15, 5)
    assert (frame.temporal, frame.switch_up) == (0, False)


def test_vp8_descriptor_of_7_bits() -> None:
    frame = _describe("vp8", load("rtp_vp8_tl2_7bit"))
    assert (frame.picture_id, frame.picture_id_bits, frame.tl0picidx) == (0x7F, 7, 255)
    assert (frame.temporal, frame.switch_up, frame.layered) == (2, True, True)


@pytest.mark.parametrize("name", ["rtp_vp8_tl0_sync_15bit", "rtp_vp8_tl2_7bit"])
def test_vp8_rewrite_changes_only_the_ids(name: str) -> None:
    original = load(name)
    frame = _describe("vp8", original)
    copy = bytearray(b"slot" + original)
    vp8.rewrite(copy, 4, frame, 0x1234 + 5, 0x1FE)
    again = _describe("vp8", bytes(copy[4:]))
    mask = (1 << frame.picture_id_bits) - 1
    assert (again.picture_id, again.tl0picidx) == (0x1239 & mask, 0xFE)
    vp8.rewrite(copy, 4, frame, frame.picture_id, frame.tl0picidx)
    assert copy == b"slot" + original


def test_chromium_leaves_temporal_layers_out_of_vp8_for_the_dependency_descriptor() -> None:
    assert not any(_describe("vp8", data).layered for data in stream("vp8_l1t3_dependency"))
    frames = _described("vp8", "vp8_l1t3_dependency")
    assert {frame.temporal for frame in frames} == {0, 1, 2}
    assert [frame.keyframe for frame in frames[:2]] == [True, False]
    assert frames[0].switch_to == 2


def test_vp9_layers_and_size() -> None:
    frame = _describe("vp9", load("rtp_vp9_keyframe_structure"))
    assert frame.keyframe
    assert frame.layered
    assert frame.width > 0
    frames = [_describe("vp9", data) for data in stream("vp9_l1t2")]
    assert {frame.temporal for frame in frames} == {0, 1}
    assert [i for i, frame in enumerate(frames) if frame.keyframe] == [0]
    starts = [frame for frame in frames if frame.start]
    ends = [frame for frame in frames if frame.end]
    assert len(starts) - len(ends) in {0, 1}  # the last frame may be cut


def test_vp9_descriptor_and_dependency_descriptor_agree() -> None:
    for data, told in zip(stream("vp9_l3t3_key"), _described("vp9", "vp9_l3t3_key"), strict=True):
        own = _describe("vp9", data)
        assert (own.spatial, own.temporal) == (told.spatial, told.temporal)
        assert (own.start, own.end, own.keyframe) == (told.start, told.end, told.keyframe)


@pytest.mark.parametrize(("name", "layers"), [("av1_l1t3", {0, 1, 2}), ("av1_l2t2", {0, 1})])
def test_av1_temporal_layers(name: str, layers: set[int]) -> None:
    frames = _described("av1", name)
    assert frames[0].keyframe
    assert {frame.temporal for frame in frames} == layers


def test_av1_upper_spatial_layer_opens_in_the_keyframes_picture_only() -> None:
    upper = [frame for frame in _described("av1", "av1_l2t2") if frame.spatial == 1]
    assert upper[0].independent
    assert not upper[0].keyframe
    assert not any(frame.independent for frame in upper[1:])


def test_dependency_structure_tells_sizes() -> None:
    data = load("rtp_av1_keyframe_dependency")
    at = rtp.find_extension(rtp.parse(data), DEPENDENCY_ID)
    assert at is not None
    reader = DependencyReader()
    descriptor = reader.read(data[at[0] : at[0] + at[1]])
    assert reader.structure is not None
    assert reader.structure.resolutions == ((320, 180), (640, 360))
    assert (descriptor.width, descriptor.height) == (640, 360)  # the largest
    assert descriptor.indications == (dependency.SWITCH,) * 4


def test_dependency_descriptor_before_its_structure() -> None:
    with pytest.raises(ValueError):
        DependencyReader().read(b"\x80\x00\x01")


def test_h264_keyframe_aggregate() -> None:
    frame = _describe("h264", load("rtp_h264_stap_a_keyframe"))
    assert frame.keyframe
    assert (frame.width, frame.height) == (640, 360)


def test_h264_stream_has_one_start_for_each_timestamp() -> None:
    starts: dict[int, int] = {}
    for data in stream("h264"):
        timestamp = rtp.parse(data).timestamp
        starts[timestamp] = starts.get(timestamp, 0) + _describe("h264", data).start
    assert set(starts.values()) == {1}


@pytest.mark.parametrize(
    ("payload", "keyframe", "start"),
    [
        (b"\x65\x88\x84", True, True),  # IDR slice
        (b"\x41\x9a\x00", False, True),  # first slice
        (b"\x41\x4a\x00", False, False),  # further slice
        (b"\x7c\x85\x88", True, True),  # FU-A start of an IDR slice
        (b"\x7c\x05\x88", False, False),  # FU-A middle
        (b"\x7c\x45\x88", False, False),  # FU-A end
        (b"\x09\x10", False, True),  # access unit delimiter
        (b"\x18\x00\x02\x09\x10\x00\x03\x65\x88\x84", True, True),
    ],
)
def test_h264_units(payload: bytes, keyframe: bool, start: bool) -> None:
    frame = _payload("h264", payload)
    assert (frame.keyframe, frame.start) == (keyframe, start)


def _golomb(value: int) -> str:
    bits = f"{value + 1:b}"
    return "0" * (len(bits) - 1) + bits


def _sps(*, columns: int, rows: int, crop_bottom: int = 0) -> bytes:
    """A baseline sequence parameter set without its NAL header (H.264 7.3.2.1.1)."""
    bits = f"{66:08b}" + "1" * 8 + f"{31:08b}"
    bits += "".join(map(_golomb, (0, 0, 0, 0, 1)))  # id, frame_num, order type and lsb, references
    bits += "0" + _golomb(columns - 1) + _golomb(rows - 1) + "11"
    bits += "1" + "".join(map(_golomb, (0, 0, 0, crop_bottom))) if crop_bottom else "0"
    bits += "01"
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def test_h264_size_with_cropping() -> None:
    assert h264.sps_size(_sps(columns=120, rows=68, crop_bottom=4)) == (1920, 1080)
    assert h264.sps_size(_sps(columns=40, rows=30)) == (640, 480)


@pytest.mark.parametrize(
    ("codec", "payload"),
    [
        ("vp8", b""),
        ("vp8", b"\x80"),
        ("vp8", b"\x90\x80\x81"),
        ("vp8", b"\x90\xc0\x01"),
        ("vp8", b"\x10"),
        ("vp9", b""),
        ("vp9", b"\x80\x80"),
        ("vp9", b"\x20"),
        ("vp9", b"\x50\x01\x01\x01\x01"),
        ("vp9", b"\x02\x10\x00"),
        ("vp9", b"\x02\x08\x05\x0c"),
        ("h264", b""),
        ("h264", b"\x00\x00"),
        ("h264", b"\x1f\x00"),
        ("h264", b"\x7c"),
        ("h264", b"\x18\x00\x09\x01"),
        ("h264", b"\x18\x00\x00"),
        ("av1", b"\x10"),
        ("av1", b"\x88\x0a\x00"),
        ("av1", b"\x00\xff\x0a"),
        ("av1", b"\x10\x84"),
        ("opus", b""),
    ],
)
def test_refuses_cut_payloads(codec: str, payload: bytes) -> None:
    with pytest.raises(ValueError):
        _payload(codec, payload)


def test_unknown_codecs_may_start_anywhere() -> None:
    assert _payload("pcmu", b"x").keyframe


@pytest.mark.parametrize(
    ("payload", "samples", "stereo", "dtx"),
    [
        (b"\x78\x01\x02", 960, False, False),  # hybrid 20 ms
        (b"\xfc\x01\x02", 960, True, False),  # CELT 20 ms stereo
        (b"\x78", 960, False, True),
        (b"\x79\x01\x02\x03", 1920, False, False),  # two frames
        (b"\x1b\x02\x00\x00", 5760, False, False),  # 2 x 60 ms SILK
    ],
)
def test_opus_table_of_contents(payload: bytes, samples: int, stereo: bool, dtx: bool) -> None:
    toc = opus.toc(payload, 0, len(payload))
    assert (toc.samples, toc.stereo, toc.dtx) == (samples, stereo, dtx)


@pytest.mark.parametrize("payload", [b"", b"\x03", b"\x03\x00", b"\x1b\x03\x00"])
def test_opus_refuses_what_no_encoder_makes(payload: bytes) -> None:
    with pytest.raises(ValueError):
        opus.toc(payload, 0, len(payload))
