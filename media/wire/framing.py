"""The frame around every RTCP packet, and compounds of them (RFC 3550 sections 6.1 and A.2)."""

from collections.abc import Iterator
from struct import Struct
from typing import Final, NamedTuple

from media.wire.buffers import ReadBuffer

VERSION: Final = 2
HEADER_BYTES: Final = 4
_HEADER = Struct("!BBH")


class Frame(NamedTuple):
    """One RTCP packet of a compound: its body is without header and padding."""

    packet_type: int
    fmt: int
    """Report or source count, or the feedback message type (FMT)."""
    body: bytes


def frame(packet_type: int, count: int, body: bytes) -> bytes:
    """Put the header before `body`, whose length must be a multiple of four."""
    return _HEADER.pack(VERSION << 6 | count, packet_type, len(body) // 4) + body


def split(data: ReadBuffer) -> Iterator[Frame]:
    """The packets of a compound or reduced-size datagram (RFC 5506), in order.

    Raises ValueError for another version, lengths that do not add up, and padding that does not
    fit. Browsers pad transport feedback by one to three bytes, anywhere in a compound, where RFC
    3550 (section 6.4.1) has multiples of four at the end.
    """
    view = bytes(data)
    if not view:
        raise ValueError("RTCP datagram is empty")
    at, size = 0, len(view)
    while at < size:
        if at + HEADER_BYTES > size:
            raise ValueError("RTCP header is cut off")
        first, packet_type, words = _HEADER.unpack_from(view, at)
        end = at + HEADER_BYTES + 4 * words
        if first >> 6 != VERSION or end > size:
            raise ValueError("RTCP version or length is wrong")
        body = view[at + HEADER_BYTES : end]
        yield Frame(packet_type, first & 0x1F, _unpad(body) if first & 0x20 else body)
        at = end


def _unpad(body: bytes) -> bytes:
    padding = body[-1] if body else 0
    if padding == 0 or padding > len(body):
        raise ValueError("RTCP padding is wrong")
    return body[:-padding]


def words(body: bytes) -> tuple[int, ...]:
    """`body` as 32-bit numbers. Raises ValueError unless it is a multiple of four bytes."""
    if len(body) % 4:
        raise ValueError("RTCP body is not a multiple of four bytes")
    return tuple(int.from_bytes(body[i : i + 4], "big") for i in range(0, len(body), 4))
