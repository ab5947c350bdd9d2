"""VP8 payload descriptor and frame header (RFC 7741 sections 4.2 and 4.3)."""

from struct import Struct
from typing import Final

from media.wire.buffers import ReadBuffer, WriteBuffer
from media.wire.codecs.frame import Frame

_PICTURE_ID = Struct("!H")
_SIZE = Struct("<HH")
_START_CODE: Final = b"\x9d\x01\x2a"


def parse(data: ReadBuffer, at: int, end: int) -> Frame:
    """The frame of the payload at `at .. end` of `data`. Raises ValueError."""
    if at >= end:
        raise ValueError("VP8 payload is empty")
    first = data[at]
    frame = Frame(start=bool(first & 0x10) and first & 0x07 == 0, discardable=bool(first & 0x20))
    at += 1
    if first & 0x80:
        at = _extension(frame, data, at, end)
    if at >= end:
        raise ValueError("VP8 payload ends in its descriptor")
    if frame.start:
        _header(frame, data, at, end)
    return frame


def _extension(frame: Frame, data: ReadBuffer, at: int, end: int) -> int:
    """Read the optional fields; returns where the VP8 data starts."""
    if at >= end:
        raise ValueError("VP8 descriptor is cut off")
    present = data[at]
    at += 1
    if present & 0x80:
        at = read_picture_id(frame, data, at, end)
    if present & 0x40:
        if at >= end:
            raise ValueError("VP8 tl0picidx is cut off")
        frame.tl0picidx, frame.tl0picidx_offset = data[at], at
        at += 1
    if present & 0x30:
        if at >= end:
            raise ValueError("VP8 layer indices are cut off")
        if present & 0x20:
            frame.layered = True
            frame.temporal, frame.switch_up = data[at] >> 6, bool(data[at] & 0x20)
        at += 1
    return at


def read_picture_id(frame: Frame, data: ReadBuffer, at: int, end: int) -> int:
    """Read a 7 or 15-bit picture id, as VP8 and VP9 have it; returns where it ends."""
    if at >= end:
        raise ValueError("picture id is cut off")
    frame.picture_id_offset = at
    if not data[at] & 0x80:
        frame.picture_id, frame.picture_id_bits = data[at], 7
        return at + 1
    if at + 2 > end:
        raise ValueError("picture id is cut off")
    frame.picture_id = _PICTURE_ID.unpack_from(data, at)[0] & 0x7FFF
    frame.picture_id_bits = 15
    return at + 2


def _header(frame: Frame, data: ReadBuffer, at: int, end: int) -> None:
    frame.keyframe = frame.independent = data[at] & 0x01 == 0
    if frame.keyframe and at + 10 <= end and bytes(data[at + 3 : at + 6]) == _START_CODE:
        width, height = _SIZE.unpack_from(data, at + 6)
        frame.width, frame.height = width & 0x3FFF, height & 0x3FFF  # the rest is scaling


def rewrite(data: WriteBuffer, base: int, frame: Frame, picture_id: int, tl0picidx: int) -> None:
    """Put other ids into the copy of the packet that starts at `base` of `data`.

    The picture id keeps its width. Ids the frame does not have are left alone.
    """
    if frame.picture_id_bits == 15:
        value = 0x8000 | picture_id & 0x7FFF
        _PICTURE_ID.pack_into(data, base + frame.picture_id_offset, value)
    elif frame.picture_id_bits:
        data[base + frame.picture_id_offset] = picture_id & 0x7F
    if frame.tl0picidx_offset >= 0:
        data[base + frame.tl0picidx_offset] = tl0picidx & 0xFF
