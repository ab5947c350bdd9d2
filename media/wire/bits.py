"""Reads numbers bit by bit, most significant first."""

from media.wire.buffers import ReadBuffer


class BitReader:
    """A cursor over `data`; reading past its end raises ValueError."""

    __slots__ = ("_at", "_size", "_value")

    def __init__(self, data: ReadBuffer) -> None:
        self._value = int.from_bytes(data, "big")
        self._size = len(data) * 8
        self._at = 0

    def read(self, bits: int) -> int:
        """The next `bits` as an unsigned number."""
        end = self._at + bits
        if end > self._size:
            raise ValueError("bits are cut off")
        self._at = end
        return self._value >> (self._size - end) & ((1 << bits) - 1)

    def flag(self) -> bool:
        """The next bit."""
        return self.read(1) == 1

    def skip(self, bits: int) -> None:
        """Pass over `bits`."""
        self.read(bits)

    def non_symmetric(self, values: int) -> int:
        """A number below `values`, in as few bits as that takes (AV1 ns(n)); 0 < values."""
        width = values.bit_length()
        short = (1 << width) - values
        value = self.read(width - 1)
        return value if value < short else (value << 1) - short + self.read(1)

    def exp_golomb(self) -> int:
        """An unsigned Exp-Golomb number, below 2**32 - 1 (H.264 section 9.1)."""
        zeros = 0
        while not self.flag():
            zeros += 1
            if zeros > 31:
                raise ValueError("Exp-Golomb number is too long")
        return (1 << zeros) - 1 + self.read(zeros)

    def signed_exp_golomb(self) -> int:
        """A signed Exp-Golomb number (H.264 section 9.1.1)."""
        code = self.exp_golomb()
        return (code + 1) // 2 if code & 1 else -(code // 2)
