"""The packets of one Stream that came in one wake-up, laid out so that a copy is one call.

What is the same for every Consumer is computed here once.
"""

from collections.abc import Callable
from itertools import pairwise
from struct import Struct
from typing import Any, Final

from media.net.egress import MAX_RUN_BYTES, MAX_SEGMENTS
from media.net.srtp import TRAILER_BYTES
from media.wire.rtp import HEADER_BYTES, Packet

Pack = Callable[..., None]
Copy = tuple[Pack, int, int, int, int, bytes, int]
"""(pack_into, first byte, marker bit, extended sequence, timestamp, bytes after the fixed header,
size): `pack_into(view, at, first, marker | type, sequence, timestamp, ssrc, rest)` writes it."""

_LAYOUTS: Final[dict[int, Pack]] = {}


def _layout(size: int) -> Pack:
    """How a packet of `size` bytes is written: header fields, then the rest."""
    pack = _LAYOUTS.get(size)
    if pack is None:
        pack = _LAYOUTS[size] = Struct(f"!BBHII{size - HEADER_BYTES}s").pack_into
    return pack


def copy_of(packet: Packet, sequence: int) -> Copy:
    """What Consumers need to write a packet with that extended sequence number."""
    size = packet.end
    data: Any = packet.data
    return (
        _layout(size),
        data[0],
        packet.marker << 7,
        sequence,
        packet.timestamp,
        bytes(data[HEADER_BYTES:size]),
        size,
    )


def is_run(copies: list[Copy]) -> bool:
    """Whether the kernel may split all of them from one message: one size, the last shorter."""
    size = copies[0][6]
    if len(copies) > MAX_SEGMENTS or len(copies) * (size + TRAILER_BYTES) > MAX_RUN_BYTES:
        return False
    return all(c[6] == size for c in copies[:-1]) and copies[-1][6] <= size


def in_order(copies: list[Copy]) -> bool:
    """Whether sequence numbers only rise, so that one shift may serve all."""
    return all(a[3] < b[3] for a, b in pairwise(copies))
