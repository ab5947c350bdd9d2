"""Feedback messages: NACK, PLI, FIR (RFC 4585, RFC 5104) and REMB."""

from dataclasses import dataclass
from struct import Struct
from typing import Final, Self

from media.wire.framing import frame, words

RTPFB: Final = 205
PSFB: Final = 206
FMT_NACK: Final = 1
FMT_PLI: Final = 1
FMT_FIR: Final = 4
FMT_AFB: Final = 15
"""Application layer feedback: REMB hides behind a four-letter name in it."""

_SSRCS = Struct("!II")
_NACK_ITEM = Struct("!HH")
_FIR_ITEM = Struct("!IB3x")
_REMB_NAME: Final = b"REMB"
_MANTISSA_BITS: Final = 18
_MAX_EXPONENT: Final = 63


def ssrcs_of(body: bytes) -> tuple[int, int]:
    """(sender, media) SSRC that every feedback message starts with (RFC 4585 section 6.1)."""
    if len(body) < _SSRCS.size:
        raise ValueError("RTCP feedback is shorter than its SSRCs")
    sender, media = _SSRCS.unpack_from(body)
    return sender, media


@dataclass(frozen=True, slots=True)
class Nack:
    """Packets of `media_ssrc` that are missing (RFC 4585 section 6.2.1)."""

    sender_ssrc: int
    media_ssrc: int
    sequences: tuple[int, ...]
    """16-bit, in the order they were asked for; serialized ascending around the circle."""

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """From the body of an RTPFB frame. Raises ValueError."""
        sender, media = ssrcs_of(body)
        if len(body) % 4:
            raise ValueError("NACK is not a multiple of four bytes")
        found: list[int] = []
        for first, mask in _NACK_ITEM.iter_unpack(body[8:]):
            found.append(first)
            found.extend((first + bit + 1) & 0xFFFF for bit in range(16) if mask >> bit & 1)
        return cls(sender, media, tuple(found))

    def pack(self) -> bytes:
        """The whole RTCP packet."""
        items = b"".join(_NACK_ITEM.pack(*item) for item in _bitmaps(self.sequences))
        return frame(RTPFB, FMT_NACK, _SSRCS.pack(self.sender_ssrc, self.media_ssrc) + items)


def _bitmaps(sequences: tuple[int, ...]) -> list[tuple[int, int]]:
    """(first, mask of the 16 after it) pairs that cover `sequences`."""
    if not sequences:
        return []
    start = sequences[0]
    # Sorted by signed distance from the first, so that a wrap does not tear neighbours apart.
    ordered = sorted({((s - start + 0x8000) & 0xFFFF) - 0x8000 for s in sequences})
    items: list[tuple[int, int]] = []
    first, mask = ordered[0], 0
    for offset in ordered[1:]:
        if offset - first <= 16:
            mask |= 1 << (offset - first - 1)
            continue
        items.append(((start + first) & 0xFFFF, mask))
        first, mask = offset, 0
    items.append(((start + first) & 0xFFFF, mask))
    return items


@dataclass(frozen=True, slots=True)
class Pli:
    """A keyframe of `media_ssrc` is needed (RFC 4585 section 6.3.1)."""

    sender_ssrc: int
    media_ssrc: int

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """From the body of a PSFB frame. Raises ValueError."""
        return cls(*ssrcs_of(body))

    def pack(self) -> bytes:
        """The whole RTCP packet."""
        return frame(PSFB, FMT_PLI, _SSRCS.pack(self.sender_ssrc, self.media_ssrc))


@dataclass(frozen=True, slots=True)
class Fir:
    """Full intra requests: the wanted SSRCs are in the entries (RFC 5104 section 4.3.1)."""

    sender_ssrc: int
    entries: tuple[tuple[int, int], ...]
    """(ssrc, command sequence number 0..255): a repeated number is the same request."""

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """From the body of a PSFB frame. Raises ValueError."""
        sender, _ = ssrcs_of(body)
        if len(body) % 8:
            raise ValueError("FIR entry is cut off")
        return cls(sender, tuple(_FIR_ITEM.iter_unpack(body[8:])))

    def pack(self) -> bytes:
        """The whole RTCP packet."""
        items = b"".join(_FIR_ITEM.pack(*entry) for entry in self.entries)
        return frame(PSFB, FMT_FIR, _SSRCS.pack(self.sender_ssrc, 0) + items)


@dataclass(frozen=True, slots=True)
class Remb:
    """Receiver estimated maximum bitrate (draft-alvestrand-rmcat-remb-03 section 2.2)."""

    sender_ssrc: int
    bitrate_bps: int
    """Serialized with an 18-bit mantissa, rounded down."""
    ssrcs: tuple[int, ...]

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """From the body of a PSFB frame. Raises ValueError."""
        sender, _ = ssrcs_of(body)
        numbers = words(body[8:])
        if len(numbers) < 2 or body[8:12] != _REMB_NAME:
            raise ValueError("not a REMB message")
        count, exponent = numbers[1] >> 24, numbers[1] >> _MANTISSA_BITS & 0x3F
        if len(numbers) - 2 != count:
            raise ValueError("REMB count does not match its length")
        mantissa = numbers[1] & (1 << _MANTISSA_BITS) - 1
        return cls(sender, mantissa << exponent, numbers[2:])

    def pack(self) -> bytes:
        """The whole RTCP packet."""
        exponent = min(max(0, self.bitrate_bps.bit_length() - _MANTISSA_BITS), _MAX_EXPONENT)
        value = len(self.ssrcs) << 24 | exponent << _MANTISSA_BITS | self.bitrate_bps >> exponent
        numbers = (value, *self.ssrcs)
        body = b"".join(number.to_bytes(4, "big") for number in numbers)
        return frame(PSFB, FMT_AFB, _SSRCS.pack(self.sender_ssrc, 0) + _REMB_NAME + body)
