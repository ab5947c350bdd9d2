"""VP9 payload descriptor (RFC 9628 section 4.2)."""

from struct import Struct

from media.wire.buffers import ReadBuffer
from media.wire.codecs.frame import Frame
from media.wire.codecs.vp8 import read_picture_id

_SIZE = Struct("!HH")
_HAS_PICTURE_ID, _INTER_PICTURE, _HAS_LAYERS, _FLEXIBLE = 0x80, 0x40, 0x20, 0x10
_START, _END, _HAS_STRUCTURE = 0x08, 0x04, 0x02
_MAX_TEMPORAL = 7
_MAX_REFERENCES = 3


def parse(data: ReadBuffer, at: int, end: int) -> Frame:
    """The frame of the payload at `at .. end` of `data`. Raises ValueError."""
    if at >= end:
        raise ValueError("VP9 payload is empty")
    flags = data[at]
    frame = Frame(
        start=bool(flags & _START),
        end=bool(flags & _END),
        independent=not flags & _INTER_PICTURE,
    )
    at += 1
    inter_layer = False
    if flags & _HAS_PICTURE_ID:
        at = read_picture_id(frame, data, at, end)
    if flags & _HAS_LAYERS:
        inter_layer = at < end and bool(data[at] & 0x01)
        at = _layers(frame, flags, data, at, end)
    if flags & _FLEXIBLE and flags & _INTER_PICTURE:
        at = _references(data, at, end)
    if flags & _HAS_STRUCTURE:
        at = _structure(frame, data, at, end)
    if at >= end:
        raise ValueError("VP9 payload ends in its descriptor")
    # A frame predicted from a lower spatial layer of its own picture is no place to start.
    frame.keyframe = frame.start and frame.independent and not inter_layer
    return frame


def _layers(frame: Frame, flags: int, data: ReadBuffer, at: int, end: int) -> int:
    size = 1 if flags & _FLEXIBLE else 2
    if at + size > end:
        raise ValueError("VP9 layer indices are cut off")
    frame.layered = True
    frame.temporal = data[at] >> 5
    frame.switch_to = _MAX_TEMPORAL if data[at] & 0x10 else -1
    frame.spatial = data[at] >> 1 & 0x07
    if size == 2:
        frame.tl0picidx, frame.tl0picidx_offset = data[at + 1], at + 1
    return at + size


def _references(data: ReadBuffer, at: int, end: int) -> int:
    for _ in range(_MAX_REFERENCES):
        if at >= end:
            raise ValueError("VP9 reference is cut off")
        at += 1
        if not data[at - 1] & 0x01:
            return at
    raise ValueError("VP9 frame has too many references")


def _structure(frame: Frame, data: ReadBuffer, at: int, end: int) -> int:
    """The scalability structure: only the largest layer's size is kept."""
    if at >= end:
        raise ValueError("VP9 structure is cut off")
    head = data[at]
    at += 1
    if head & 0x10:
        layers = (head >> 5) + 1
        if at + 4 * layers > end:
            raise ValueError("VP9 structure is cut off")
        frame.width, frame.height = _SIZE.unpack_from(data, at + 4 * (layers - 1))
        at += 4 * layers
    return _pictures(data, at, end) if head & 0x08 else at


def _pictures(data: ReadBuffer, at: int, end: int) -> int:
    if at >= end:
        raise ValueError("VP9 picture group is cut off")
    count = data[at]
    at += 1
    for _ in range(count):
        if at >= end:
            raise ValueError("VP9 picture group is cut off")
        at += 1 + (data[at] >> 2 & 0x03)
    if at > end:
        raise ValueError("VP9 picture group is cut off")
    return at
