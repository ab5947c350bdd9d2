"""RTCP: reports, source descriptions, goodbyes, and the door to feedback (RFC 3550 section 6)."""

from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct
from typing import Final, Self

from media.wire.buffers import ReadBuffer
from media.wire.feedback import (
    FMT_AFB,
    FMT_FIR,
    FMT_NACK,
    FMT_PLI,
    PSFB,
    RTPFB,
    Fir,
    Nack,
    Pli,
    Remb,
)
from media.wire.framing import Frame, frame, split, words
from media.wire.twcc import FMT_TWCC, TransportFeedback

__all__ = [
    "Bye",
    "Fir",
    "Nack",
    "Pli",
    "ReceiverReport",
    "Remb",
    "Report",
    "ReportBlock",
    "Sdes",
    "SenderReport",
    "TransportFeedback",
    "Unknown",
    "pack",
    "parse",
]

SR: Final = 200
RR: Final = 201
SDES: Final = 202
BYE: Final = 203
SDES_CNAME: Final = 1

_BLOCK = Struct("!IIIIII")
_SENDER = Struct("!IQIII")
_SSRC = Struct("!I")
_MAX_COUNT: Final = 31
_LOST_MAX: Final = 0x7F_FFFF
_LOST_MIN: Final = -0x80_0000


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """How one source is received (RFC 3550 section 6.4.1)."""

    ssrc: int
    fraction_lost: int
    """0..255, of 256, since the last report."""
    packets_lost: int
    """Since the start; signed, clamped to 24 bits when serialized."""
    highest_sequence: int
    """Extended: cycles << 16 | sequence."""
    jitter: int
    """In timestamp units."""
    last_sr: int
    """Middle 32 bits of the last sender report's NTP time, 0 if there was none."""
    delay_since_sr: int
    """In 1/65536 s."""

    @classmethod
    def parse(cls, data: bytes, offset: int) -> Self:
        """From the 24 bytes at `offset`, which must be there."""
        ssrc, loss, highest, jitter, last_sr, delay = _BLOCK.unpack_from(data, offset)
        lost = ((loss & 0xFF_FFFF) ^ 0x80_0000) - 0x80_0000
        return cls(ssrc, loss >> 24, lost, highest, jitter, last_sr, delay)

    def pack(self) -> bytes:
        """The 24 bytes of the block."""
        lost = min(max(self.packets_lost, _LOST_MIN), _LOST_MAX) & 0xFF_FFFF
        return _BLOCK.pack(
            self.ssrc,
            self.fraction_lost << 24 | lost,
            self.highest_sequence,
            self.jitter,
            self.last_sr,
            self.delay_since_sr,
        )


def _blocks(body: bytes, offset: int, count: int) -> tuple[ReportBlock, ...]:
    if len(body) < offset + count * _BLOCK.size:
        raise ValueError("RTCP report block is cut off")
    return tuple(ReportBlock.parse(body, offset + i * _BLOCK.size) for i in range(count))


@dataclass(frozen=True, slots=True)
class SenderReport:
    """What a source has sent, and when (RFC 3550 section 6.4.1)."""

    ssrc: int
    ntp: int
    """64-bit NTP time: seconds since 1900 << 32 | fraction."""
    timestamp: int
    """The RTP timestamp of the same instant."""
    packets: int
    octets: int
    """Payload octets, modulo 2**32."""
    blocks: tuple[ReportBlock, ...] = ()

    @classmethod
    def parse(cls, body: bytes, count: int) -> Self:
        """From the body of an SR frame. Raises ValueError."""
        if len(body) < _SENDER.size:
            raise ValueError("sender report is cut off")
        ssrc, ntp, timestamp, packets, octets = _SENDER.unpack_from(body)
        return cls(ssrc, ntp, timestamp, packets, octets, _blocks(body, _SENDER.size, count))

    def pack(self) -> bytes:
        """The whole RTCP packet; at most 31 blocks."""
        sent = _SENDER.pack(self.ssrc, self.ntp, self.timestamp, self.packets, self.octets)
        return frame(SR, len(self.blocks), sent + b"".join(b.pack() for b in self.blocks))


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    """Reception of up to 31 sources (RFC 3550 section 6.4.2)."""

    ssrc: int
    blocks: tuple[ReportBlock, ...] = ()

    @classmethod
    def parse(cls, body: bytes, count: int) -> Self:
        """From the body of an RR frame. Raises ValueError."""
        if len(body) < _SSRC.size:
            raise ValueError("receiver report is cut off")
        return cls(_SSRC.unpack_from(body)[0], _blocks(body, _SSRC.size, count))

    def pack(self) -> bytes:
        """The whole RTCP packet; at most 31 blocks."""
        blocks = b"".join(block.pack() for block in self.blocks)
        return frame(RR, len(self.blocks), _SSRC.pack(self.ssrc) + blocks)


@dataclass(frozen=True, slots=True)
class Sdes:
    """Canonical names of sources; other items are left out (RFC 3550 section 6.5)."""

    names: tuple[tuple[int, bytes], ...]
    """(ssrc, CNAME as bytes, empty when there was none)."""

    @classmethod
    def parse(cls, body: bytes, count: int) -> Self:
        """From the body of an SDES frame. Raises ValueError."""
        names: list[tuple[int, bytes]] = []
        at = 0
        for _ in range(count):
            if at + 4 > len(body):
                raise ValueError("SDES chunk is cut off")
            (ssrc,) = _SSRC.unpack_from(body, at)
            name, at = _sdes_items(body, at + 4)
            names.append((ssrc, name))
        return cls(tuple(names))

    def pack(self) -> bytes:
        """The whole RTCP packet; at most 31 names of at most 255 bytes."""
        chunks = bytearray()
        for ssrc, name in self.names:
            items = bytes([SDES_CNAME, len(name)]) + name
            chunks += _SSRC.pack(ssrc) + items + bytes(4 - len(items) % 4)
        return frame(SDES, len(self.names), bytes(chunks))


def _sdes_items(body: bytes, at: int) -> tuple[bytes, int]:
    """(CNAME, start of the next chunk) of the items at `at`; a zero byte ends them."""
    name = b""
    while at < len(body) and body[at]:
        if at + 2 > len(body) or at + 2 + body[at + 1] > len(body):
            raise ValueError("SDES item does not fit")
        end = at + 2 + body[at + 1]
        if body[at] == SDES_CNAME:
            name = body[at + 2 : end]
        at = end
    if at >= len(body):
        raise ValueError("SDES items do not end")
    return name, at + 4 - at % 4  # the terminator and what pads it to four bytes


@dataclass(frozen=True, slots=True)
class Bye:
    """Sources that leave (RFC 3550 section 6.6). The reason is not kept."""

    ssrcs: tuple[int, ...]

    @classmethod
    def parse(cls, body: bytes, count: int) -> Self:
        """From the body of a BYE frame. Raises ValueError."""
        if len(body) < 4 * count:
            raise ValueError("BYE is cut off")
        return cls(words(body[: 4 * count]))

    def pack(self) -> bytes:
        """The whole RTCP packet; at most 31 sources."""
        return frame(BYE, len(self.ssrcs), b"".join(_SSRC.pack(ssrc) for ssrc in self.ssrcs))


@dataclass(frozen=True, slots=True)
class Unknown:
    """A packet we do not understand, and need not (RFC 3550 section 6.1)."""

    packet_type: int
    count: int
    body: bytes

    def pack(self) -> bytes:
        """The whole RTCP packet."""
        return frame(self.packet_type, self.count, self.body)


Report = (
    SenderReport
    | ReceiverReport
    | Sdes
    | Bye
    | Nack
    | Pli
    | Fir
    | Remb
    | TransportFeedback
    | Unknown
)


def parse(data: ReadBuffer) -> list[Report]:
    """Every packet of a compound or reduced-size datagram. Raises ValueError, all or nothing."""
    return [_parse_frame(part) for part in split(data)]


def pack(reports: list[Report]) -> bytes:
    """One datagram of `reports`, in order."""
    return b"".join(report.pack() for report in reports)


_COUNTED: Final[dict[int, Callable[[bytes, int], Report]]] = {
    SR: SenderReport.parse,
    RR: ReceiverReport.parse,
    SDES: Sdes.parse,
    BYE: Bye.parse,
}
_FEEDBACK: Final[dict[tuple[int, int], Callable[[bytes], Report]]] = {
    (RTPFB, FMT_NACK): Nack.parse,
    (RTPFB, FMT_TWCC): TransportFeedback.parse,
    (PSFB, FMT_PLI): Pli.parse,
    (PSFB, FMT_FIR): Fir.parse,
}


def _parse_frame(part: Frame) -> Report:
    counted = _COUNTED.get(part.packet_type)
    if counted is not None:
        return counted(part.body, part.fmt)
    feedback = _FEEDBACK.get((part.packet_type, part.fmt))
    if feedback is not None:
        return feedback(part.body)
    if (part.packet_type, part.fmt) == (PSFB, FMT_AFB) and part.body[8:12] == b"REMB":
        return Remb.parse(part.body)
    return Unknown(*part)
