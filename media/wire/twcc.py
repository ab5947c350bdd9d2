"""Transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01)."""

from dataclasses import dataclass
from struct import Struct
from typing import Final, Self

from media.wire.feedback import RTPFB
from media.wire.framing import frame

FMT_TWCC: Final = 15
REFERENCE_US: Final = 64_000
TICK_US: Final = 250
MAX_STATUSES: Final = 8192
"""More than a second of packets at a gigabit; a run-length chunk must not cost us more."""

_HEADER = Struct("!IIHHI")
_CHUNK = Struct("!H")
_LARGE = Struct("!h")
_MIN_RUN: Final = 8
_MAX_RUN: Final = 0x1FFF
_LOST, _SMALL, _LARGE_DELTA = 0, 1, 2


@dataclass(frozen=True, slots=True)
class TransportFeedback:
    """When each packet from `base_sequence` on arrived, by the receiver's clock."""

    sender_ssrc: int
    media_ssrc: int
    base_sequence: int
    """Transport-wide, 16 bits."""
    feedback_count: int
    """Numbers the feedback packets, 8 bits."""
    arrivals_us: tuple[int | None, ...]
    """Microseconds, multiples of 250 once serialized; None for a packet that did not arrive.
    The clock wraps with its 24-bit reference of 64 ms."""

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """From the body of an RTPFB frame. Raises ValueError."""
        if len(body) < _HEADER.size:
            raise ValueError("transport feedback is cut off")
        sender, media, base, count, time_and_count = _HEADER.unpack_from(body)
        if count > MAX_STATUSES:
            raise ValueError("transport feedback covers too many packets")
        symbols, at = _read_symbols(body, _HEADER.size, count)
        start_us = (time_and_count >> 8) * REFERENCE_US
        arrivals = _read_arrivals(body, at, symbols, start_us)
        return cls(sender, media, base, time_and_count & 0xFF, arrivals)

    def pack(self) -> bytes:
        """The whole RTCP packet. Raises ValueError when two arrivals lie over 8 s apart."""
        reference, symbols, deltas = _write_deltas(self.arrivals_us)
        header = _HEADER.pack(
            self.sender_ssrc,
            self.media_ssrc,
            self.base_sequence,
            len(symbols),
            (reference & 0xFF_FFFF) << 8 | self.feedback_count,
        )
        body = header + _write_symbols(symbols) + deltas
        return frame(RTPFB, FMT_TWCC, body + bytes(-len(body) % 4))


def _read_symbols(body: bytes, at: int, count: int) -> tuple[list[int], int]:
    """`count` two-bit symbols from the chunks at `at`, and where the deltas start."""
    symbols: list[int] = []
    while len(symbols) < count:
        if at + 2 > len(body):
            raise ValueError("transport feedback chunk is cut off")
        (chunk,) = _CHUNK.unpack_from(body, at)
        at += 2
        if not chunk & 0x8000:
            symbols.extend([chunk >> 13 & 3] * min(chunk & _MAX_RUN, count - len(symbols)))
            if chunk & _MAX_RUN == 0:
                raise ValueError("transport feedback run of no length")
        elif chunk & 0x4000:
            symbols.extend(chunk >> shift & 3 for shift in range(12, -2, -2))
        else:
            symbols.extend(chunk >> shift & 1 for shift in range(13, -1, -1))
    return symbols[:count], at


def _read_arrivals(body: bytes, at: int, symbols: list[int], now_us: int) -> tuple[int | None, ...]:
    arrivals: list[int | None] = []
    for symbol in symbols:
        size = symbol if symbol in {_SMALL, _LARGE_DELTA} else 0
        if at + size > len(body):
            raise ValueError("transport feedback delta is cut off")
        if symbol == _SMALL:
            now_us += body[at] * TICK_US
        elif symbol == _LARGE_DELTA:
            now_us += _LARGE.unpack_from(body, at)[0] * TICK_US
        at += size
        arrivals.append(None if symbol == _LOST else now_us)
    return tuple(arrivals)


def _write_deltas(arrivals_us: tuple[int | None, ...]) -> tuple[int, list[int], bytes]:
    """(reference in 64 ms, a symbol per packet, the deltas)."""
    first_us = next((at for at in arrivals_us if at is not None), 0)
    reference = first_us // REFERENCE_US
    last = reference * (REFERENCE_US // TICK_US)
    symbols: list[int] = []
    deltas = bytearray()
    for at_us in arrivals_us:
        if at_us is None:
            symbols.append(_LOST)
            continue
        ticks = at_us // TICK_US
        delta, last = ticks - last, ticks
        if 0 <= delta <= 255:
            symbols.append(_SMALL)
            deltas.append(delta)
        elif -0x8000 <= delta < 0x8000:
            symbols.append(_LARGE_DELTA)
            deltas += _LARGE.pack(delta)
        else:
            raise ValueError("arrivals too far apart for one transport feedback")
    return reference, symbols, bytes(deltas)


def _write_symbols(symbols: list[int]) -> bytes:
    """Run-length chunks where eight or more agree, two-bit vectors of seven elsewhere."""
    chunks = bytearray()
    at, size = 0, len(symbols)
    while at < size:
        run = 1
        while at + run < size and run < _MAX_RUN and symbols[at + run] == symbols[at]:
            run += 1
        if run >= _MIN_RUN or at + run == size:
            chunks += _CHUNK.pack(symbols[at] << 13 | run)
            at += run
            continue
        vector = 0
        for symbol in (symbols[at : at + 7] + [0] * 7)[:7]:
            vector = vector << 2 | symbol
        chunks += _CHUNK.pack(0xC000 | vector)
        at += 7
    return bytes(chunks)
