"""AV1 payloads (RTP Payload Format For AV1, section 4): the aggregation header and first OBU."""

from typing import Final

from media.wire.buffers import ReadBuffer
from media.wire.codecs.frame import Frame

OBU_SEQUENCE_HEADER: Final = 1
_CONTINUES, _CONTINUED, _NEW_SEQUENCE = 0x80, 0x40, 0x08
_HAS_EXTENSION, _HAS_SIZE = 0x04, 0x02


def parse(data: ReadBuffer, at: int, end: int) -> Frame:
    """The frame of the payload at `at .. end` of `data`. Raises ValueError.

    Layers come from the first OBU's extension where it has one; the dependency descriptor, when
    negotiated, knows better.
    """
    if at + 2 > end:
        raise ValueError("AV1 payload is empty")
    head = data[at]
    if head & _CONTINUES:
        if head & _NEW_SEQUENCE:
            raise ValueError("AV1 sequence starts with the rest of an OBU")
        return Frame(start=False)
    start, size = _first_element(data, at + 1, end, head >> 4 & 0x03)
    frame = Frame()
    obu = data[start]
    if obu & 0x80:
        raise ValueError("AV1 OBU header with its forbidden bit")
    if obu & _HAS_EXTENSION:
        if size < 2:
            raise ValueError("AV1 OBU header is cut off")
        frame.layered = True
        frame.temporal, frame.spatial = data[start + 1] >> 5, data[start + 1] >> 3 & 0x03
    new = bool(head & _NEW_SEQUENCE)
    frame.keyframe = frame.independent = new and obu >> 3 & 0x0F == OBU_SEQUENCE_HEADER
    return frame


def _first_element(data: ReadBuffer, at: int, end: int, count: int) -> tuple[int, int]:
    """(offset, bytes) of the first OBU element; with a count of 1 it has no length before it."""
    size = end - at
    if count != 1:
        size, at = _leb128(data, at, end)
    if size == 0 or at + size > end:
        raise ValueError("AV1 OBU element does not fit")
    return at, size


def _leb128(data: ReadBuffer, at: int, end: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 56, 7):
        if at >= end:
            break
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, at
    raise ValueError("AV1 length is cut off")
