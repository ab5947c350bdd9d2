"""The packets of one Stream that came in one wake-up, laid out so that a copy is one call.

What is the same for every Consumer is computed here once.
"""

from array import array
from collections.abc import Callable
from itertools import pairwise
from struct import Struct
from typing import Any, Final, NamedTuple, cast

from media.net.egress import MAX_RUN_BYTES, MAX_SEGMENTS
from media.net.srtp import TRAILER_BYTES
from media.stamps import Room
from media.wire.codecs import Frame
from media.wire.extensions import TRANSPORT_CC_BYTES, abs_send_time, write_abs_send_time
from media.wire.rtp import HEADER_BYTES, Packet

Pack = Callable[..., None]
Copy = tuple[Pack, int, int, int, int, bytes, bytes]
"""(pack_into, first byte, marker bit, extended sequence, timestamp, bytes between the fixed header
and the transport-wide number, bytes after it)."""

MAX_LAYOUTS: Final = 8192
_LAYOUTS: Final[dict[tuple[int, int], Pack]] = {}


class Entry(NamedTuple):
    """A packet as it is cached and forwarded: parsed once, renumbered once."""

    packet: Packet
    frame: Frame
    """Its `picture_id` and `tl0picidx` are extended: they do not wrap."""
    sequence: int
    """Extended."""
    room: Room


class Batch:
    """Entries of one Stream, in the order they came. Not empty."""

    __slots__ = (
        "_marked",
        "copies",
        "count",
        "entries",
        "first",
        "keyframe",
        "last",
        "octets",
        "rising",
        "run",
        "sizes",
        "temporal",
        "times",
        "timestamp",
    )

    def __init__(self, entries: list[Entry], now: float) -> None:
        stamp = abs_send_time(now)
        for entry in entries:
            data = cast("bytearray", entry.packet.data)
            write_abs_send_time(data, entry.room.time_at, stamp)
        self.entries = entries
        self.copies = [_copy(entry, 0) for entry in entries]
        """For receivers that do not number: the number's room is padding."""
        self._marked: list[Copy] | None = None
        sizes = [entry.packet.end for entry in entries]
        self.sizes = array("l", sizes)
        self.times = array("d", (now,)) * len(sizes)
        self.count = len(sizes)
        self.octets = sum(sizes)
        self.first, self.last = entries[0].sequence, entries[-1].sequence
        self.timestamp = entries[-1].packet.timestamp
        self.rising = all(a.sequence < b.sequence for a, b in pairwise(entries))
        """Sequence numbers only rise, so that one shift may serve all."""
        self.run = _is_run(sizes)
        """The kernel may split all of them from one message."""
        self.keyframe = any(entry.frame.keyframe for entry in entries)
        self.temporal = max(entry.frame.temporal for entry in entries)
        """The highest temporal layer among them."""

    @property
    def marked(self) -> list[Copy]:
        """The same with the element header that makes a number of the room."""
        if self._marked is None:
            self._marked = [_copy(entry, len(entry.room.mark)) for entry in self.entries]
        return self._marked


def _copy(entry: Entry, mark: int) -> Copy:
    """How a packet is written; `mark`: bytes of the number's element header, or 0."""
    packet, room = entry.packet, entry.room
    data: Any = packet.data
    size, split = packet.end, room.number_at
    return (
        _layout(split, size - split - TRANSPORT_CC_BYTES),
        data[0],
        packet.marker << 7,
        entry.sequence,
        packet.timestamp,
        bytes(data[HEADER_BYTES : split - mark]) + room.mark[:mark],
        bytes(data[split + TRANSPORT_CC_BYTES : size]),
    )


def _layout(split: int, rest: int) -> Pack:
    """Header fields, what is before the number at `split`, the number, `rest` bytes."""
    pack = _LAYOUTS.get((split, rest))
    if pack is None:
        if len(_LAYOUTS) >= MAX_LAYOUTS:
            _LAYOUTS.clear()
        layout = Struct(f"!BBHII{split - HEADER_BYTES}sH{rest}s")
        pack = _LAYOUTS[split, rest] = layout.pack_into
    return pack


def _is_run(sizes: list[int]) -> bool:
    """One size, the last may be shorter."""
    size = sizes[0]
    if len(sizes) > MAX_SEGMENTS or len(sizes) * (size + TRAILER_BYTES) > MAX_RUN_BYTES:
        return False
    return all(other == size for other in sizes[:-1]) and sizes[-1] <= size
