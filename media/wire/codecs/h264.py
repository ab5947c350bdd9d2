"""H.264 payloads (RFC 6184 section 5) and the size in a sequence parameter set (H.264 7.3.2.1)."""

from typing import Final

from media.wire.bits import BitReader
from media.wire.buffers import ReadBuffer
from media.wire.codecs.frame import Frame

SLICE: Final = 1
IDR: Final = 5
SPS: Final = 7
DELIMITER: Final = 9
STAP_A: Final = 24
FU_A: Final = 28
MAX_SPS_BYTES: Final = 256
_CHROMA_PROFILES: Final = frozenset({44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244})


def parse(data: ReadBuffer, at: int, end: int) -> Frame:
    """The frame of the payload at `at .. end` of `data`. Raises ValueError."""
    if at >= end:
        raise ValueError("H264 payload is empty")
    kind = data[at] & 0x1F
    frame = Frame(start=False, discardable=data[at] & 0x60 == 0)
    if kind == STAP_A:
        _aggregate(frame, data, at + 1, end)
    elif kind == FU_A:
        _fragment(frame, data, at, end)
    elif 1 <= kind <= 23:
        _unit(frame, kind, data, at + 1, end)
    else:
        raise ValueError("H264 payload of a kind we do not take")
    frame.independent = frame.keyframe
    return frame


def _aggregate(frame: Frame, data: ReadBuffer, at: int, end: int) -> None:
    while at < end:
        if at + 3 > end:
            raise ValueError("H264 aggregate is cut off")
        size = data[at] << 8 | data[at + 1]
        at += 2
        if size == 0 or at + size > end:
            raise ValueError("H264 aggregate is cut off")
        _unit(frame, data[at] & 0x1F, data, at + 1, at + size)
        at += size


def _fragment(frame: Frame, data: ReadBuffer, at: int, end: int) -> None:
    if at + 2 > end:
        raise ValueError("H264 fragment is cut off")
    if data[at + 1] & 0x80:
        _unit(frame, data[at + 1] & 0x1F, data, at + 2, end)


def _unit(frame: Frame, kind: int, data: ReadBuffer, at: int, end: int) -> None:
    """Take note of one NAL unit whose bytes after the header are `at .. end`."""
    if kind == SPS:
        if not frame.keyframe:  # one is enough, however many an aggregate claims to hold
            _size(frame, bytes(data[at : min(end, at + MAX_SPS_BYTES)]))
        frame.start = frame.keyframe = True
    elif kind == DELIMITER:
        frame.start = True
    elif kind in {SLICE, IDR} and at < end and data[at] & 0x80:  # first_mb_in_slice is 0
        frame.start = True
        frame.keyframe = frame.keyframe or kind == IDR


def _size(frame: Frame, sps: bytes) -> None:
    """Width and height, 0 when the parameter set cannot be read: it is the decoder's to judge."""
    try:
        frame.width, frame.height = sps_size(sps)
    except ValueError:
        frame.width = frame.height = 0


def sps_size(sps: bytes) -> tuple[int, int]:
    """(width, height) in pixels of a parameter set without its NAL header. Raises ValueError."""
    bits = BitReader(sps.replace(b"\x00\x00\x03", b"\x00\x00"))
    profile = bits.read(8)
    bits.skip(16)
    bits.exp_golomb()  # its id
    chroma = _chroma(bits) if profile in _CHROMA_PROFILES else 1
    bits.exp_golomb()  # log2_max_frame_num
    _picture_order(bits)
    bits.exp_golomb()  # reference frames
    bits.skip(1)
    columns, rows = bits.exp_golomb() + 1, bits.exp_golomb() + 1
    fields = 1 if bits.flag() else 2
    if fields == 2:
        bits.skip(1)
    bits.skip(1)
    left, right, top, bottom = (
        [bits.exp_golomb() for _ in range(4)] if bits.flag() else (0, 0, 0, 0)
    )
    unit_x = 1 if chroma in {0, 3} else 2
    unit_y = (2 if chroma == 1 else 1) * fields
    width = 16 * columns - unit_x * (left + right)
    height = 16 * fields * rows - unit_y * (top + bottom)
    if not (0 < width <= 16_384 and 0 < height <= 16_384):
        raise ValueError("H264 size is out of range")
    return width, height


def _chroma(bits: BitReader) -> int:
    """Pass over the fields of the high profiles; returns chroma_format_idc."""
    chroma = bits.exp_golomb()
    if chroma == 3:
        bits.skip(1)
    bits.exp_golomb()
    bits.exp_golomb()
    bits.skip(1)
    if bits.flag():
        for index in range(8 if chroma != 3 else 12):
            if bits.flag():
                _scaling_list(bits, 16 if index < 6 else 64)
    return chroma


def _scaling_list(bits: BitReader, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed_exp_golomb()) % 256
        last = following or last


def _picture_order(bits: BitReader) -> None:
    kind = bits.exp_golomb()
    if kind == 0:
        bits.exp_golomb()
    elif kind == 1:
        bits.skip(1)
        for _ in range(2):
            bits.exp_golomb()
        for _ in range(min(bits.exp_golomb(), 255)):
            bits.exp_golomb()
