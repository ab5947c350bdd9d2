"""Serial number arithmetic: 16-bit sequence numbers, 32-bit timestamps (RFC 1982, RFC 3550 A.1)."""

from typing import Final

SEQ_BITS: Final = 16
TIMESTAMP_BITS: Final = 32


def distance16(new: int, old: int) -> int:
    """Steps from `old` to `new`, -32768..32767: positive when `new` is later."""
    return ((new - old + 0x8000) & 0xFFFF) - 0x8000


def distance32(new: int, old: int) -> int:
    """Steps from `old` to `new`, -2**31..2**31-1: positive when `new` is later."""
    return ((new - old + 0x8000_0000) & 0xFFFF_FFFF) - 0x8000_0000


def newer16(new: int, old: int) -> bool:
    """Whether `new` comes after `old`; half the circle away counts as before."""
    return 0 < (new - old) & 0xFFFF < 0x8000


def newer32(new: int, old: int) -> bool:
    """Whether `new` comes after `old`; half the circle away counts as before."""
    return 0 < (new - old) & 0xFFFF_FFFF < 0x8000_0000


def add16(seq: int, steps: int) -> int:
    """`seq` moved by `steps` around the 16-bit circle."""
    return (seq + steps) & 0xFFFF


def add32(timestamp: int, steps: int) -> int:
    """`timestamp` moved by `steps` around the 32-bit circle."""
    return (timestamp + steps) & 0xFFFF_FFFF


class Unwrapper:
    """Turns numbers that wrap into numbers that do not, taking each as nearest to the one before.

    The first value is placed one cycle up, so that what arrives late from before it stays positive.
    """

    __slots__ = ("_half", "_last", "_mask")

    def __init__(self, bits: int = SEQ_BITS) -> None:
        self._mask = (1 << bits) - 1
        self._half = 1 << (bits - 1)
        self._last: int | None = None

    @property
    def last(self) -> int | None:
        """The extended value of the latest call, None before the first."""
        return self._last

    def peek(self, value: int) -> int:
        """The extended value of `value`, leaving the reference where it is."""
        last = self._last
        if last is None:
            return value + self._mask + 1
        return last + ((value - last + self._half) & self._mask) - self._half

    def unwrap(self, value: int) -> int:
        """The extended value of `value`, which becomes the reference for the next."""
        last = self._last
        if last is None:
            extended = value + self._mask + 1
        else:
            extended = last + ((value - last + self._half) & self._mask) - self._half
        self._last = extended
        return extended
