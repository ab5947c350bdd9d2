"""What a forwarder must know of a payload, without decoding it."""

from collections.abc import Callable
from typing import Final

from media.wire.buffers import ReadBuffer
from media.wire.codecs import av1, h264, opus, vp8, vp9
from media.wire.codecs.frame import Frame

__all__ = ["Frame", "describe", "opaque"]

Parser = Callable[[ReadBuffer, int, int], Frame]


def opaque(data: ReadBuffer, at: int, end: int) -> Frame:
    """For codecs we do not look into: every packet may be the first."""
    if at > end:
        raise ValueError("payload is cut off")
    return Frame(keyframe=True, independent=True)


PARSERS: Final[dict[str, Parser]] = {
    "vp8": vp8.parse,
    "vp9": vp9.parse,
    "h264": h264.parse,
    "av1": av1.parse,
    "opus": opus.parse,
}


def describe(codec: str, data: ReadBuffer, payload_offset: int, payload_end: int) -> Frame:
    """The Frame of a payload of `codec` (lower case). Raises ValueError for bad bytes."""
    return PARSERS.get(codec, opaque)(data, payload_offset, payload_end)
