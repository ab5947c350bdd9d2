"""The first byte of an Opus packet (RFC 6716 section 3.1), and what silence looks like."""

from typing import NamedTuple

from media.wire.buffers import ReadBuffer
from media.wire.codecs.frame import Frame

DTX_MAX_BYTES = 2
"""RFC 6716 section 3.4: a frame of at most this much payload codes no sound (RFC 7587 3.1.3)."""
_SILK_US = (10_000, 20_000, 40_000, 60_000)
_HYBRID_US = (10_000, 20_000)
_CELT_US = (2_500, 5_000, 10_000, 20_000)
MAX_PACKET_US = 120_000


class Toc(NamedTuple):
    """Table of contents."""

    config: int
    stereo: bool
    frames: int
    frame_us: int
    """Duration of one frame, microseconds."""
    dtx: bool

    @property
    def samples(self) -> int:
        """Duration of the packet in 48 kHz samples, the RTP clock."""
        return self.frames * self.frame_us * 48 // 1000


def toc(data: ReadBuffer, at: int, end: int) -> Toc:
    """What the payload at `at .. end` of `data` holds. Raises ValueError."""
    if at >= end:
        raise ValueError("Opus payload is empty")
    config, code = data[at] >> 3, data[at] & 0x03
    frames = 1 if code == 0 else 2
    if code == 3:
        if at + 2 > end:
            raise ValueError("Opus frame count is cut off")
        frames = data[at + 1] & 0x3F
    frame_us = _frame_us(config)
    if frames == 0 or frames * frame_us > MAX_PACKET_US:
        raise ValueError("Opus packet is longer than 120 ms")
    return Toc(config, bool(data[at] & 0x04), frames, frame_us, end - at <= DTX_MAX_BYTES)


def _frame_us(config: int) -> int:
    if config < 12:
        return _SILK_US[config & 3]
    if config < 16:
        return _HYBRID_US[config & 1]
    return _CELT_US[config & 3]


def parse(data: ReadBuffer, at: int, end: int) -> Frame:
    """Every Opus packet is a frame of its own. Raises ValueError when it is empty."""
    if at >= end:
        raise ValueError("Opus payload is empty")
    return Frame(keyframe=True, end=True, independent=True, discardable=True)
