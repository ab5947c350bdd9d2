"""Fixed slots of memory that packets are received into and sent from, in place.

Slots are addressed three ways: by number, through one memoryview (`view[slot * SLOT_BYTES]`), and
by C pointer (`pointers[slot]`) for the cipher.
"""

import sys
from typing import Any, Final

import cffi

SLOT_BITS: Final = 11
SLOT_BYTES: Final = 1 << SLOT_BITS
"""A slot holds any packet of a 1500-byte path with room for an SRTP trailer."""
MAX_DATAGRAM_BYTES: Final = 1600
"""Longer datagrams are not sent."""
MAX_PACKET_BYTES: Final = MAX_DATAGRAM_BYTES - 32
"""Longer packets are not forwarded: retransmission and cipher add to them, within one slot."""

ffi = cffi.FFI()


class Arena:
    """`slots` consecutive slots; `view` covers them all."""

    __slots__ = ("base", "memory", "pointers", "slots", "starts", "view")

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.memory: Any = ffi.new("char[]", slots * SLOT_BYTES)
        self.view = memoryview(ffi.buffer(self.memory)).cast("B")
        self.pointers: list[Any] = [self.memory + n * SLOT_BYTES for n in range(slots)]
        self.starts = [n * SLOT_BYTES for n in range(slots)]
        self.base = int(ffi.cast("uintptr_t", self.memory))


def counters(memory: Any, first: int, stride: int, count: int) -> list[Any]:
    """`int *` to the low half of `count` 64-bit integers, `stride` bytes apart in `memory`."""
    low = first + (4 if sys.byteorder == "big" else 0)
    return [ffi.cast("int *", memory + low + n * stride) for n in range(count)]
