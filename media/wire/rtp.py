"""RTP: one parse per incoming packet, patches in place for every copy (RFC 3550 section 5.1).

A Packet is offsets into the bytes it came from. Building, padding and retransmission payloads
(RFC 4588) are here too; header extensions (RFC 8285) are read here and named in `extensions`.
"""

from struct import Struct
from typing import Final

from media.wire.buffers import ReadBuffer, WriteBuffer

VERSION: Final = 2
HEADER_BYTES: Final = 12
ONE_BYTE_PROFILE: Final = 0xBEDE
"""RFC 8285 section 4.2: elements of id 1..14 and 1..16 bytes."""
TWO_BYTE_PROFILE: Final = 0x1000
"""RFC 8285 section 4.3: the upper 12 bits; elements of id 1..255 and 0..255 bytes."""

_HEADER = Struct("!BBHII")
_PATCH = Struct("!BHII")
_EXTENSION = Struct("!HH")
_SEQ = Struct("!H")


class Packet:
    """The header of one RTP packet, as offsets into `data`.

    `payload_end` leaves the padding out; `end` is where the packet stops. `ext_profile` is 0 when
    there is no header extension; else its elements lie in `ext_offset .. ext_end`.
    """

    __slots__ = (
        "data",
        "end",
        "ext_end",
        "ext_offset",
        "ext_profile",
        "marker",
        "payload_end",
        "payload_offset",
        "payload_type",
        "sequence",
        "ssrc",
        "timestamp",
    )

    data: ReadBuffer
    marker: int
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    ext_profile: int
    ext_offset: int
    ext_end: int
    payload_offset: int
    payload_end: int
    end: int

    @property
    def payload(self) -> ReadBuffer:
        """The payload without padding; a copy when `data` is bytes. Not for the hot path."""
        return self.data[self.payload_offset : self.payload_end]

    def __repr__(self) -> str:
        return (
            f"Packet(ssrc={self.ssrc}, payload_type={self.payload_type}, "
            f"sequence={self.sequence}, timestamp={self.timestamp}, marker={self.marker}, "
            f"payload_bytes={self.payload_end - self.payload_offset})"
        )


def parse(data: ReadBuffer, length: int | None = None) -> Packet:
    """The packet in the first `length` bytes of `data` (all of it by default).

    Raises ValueError for another version and for CSRCs, extension or padding that do not fit.
    """
    end = len(data) if length is None else length
    if end < HEADER_BYTES or end > len(data):
        raise ValueError("RTP packet shorter than its header")
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
    if first >> 6 != VERSION:
        raise ValueError("RTP version is not 2")
    packet = Packet()
    packet.data = data
    packet.marker = second >> 7
    packet.payload_type = second & 0x7F
    packet.sequence = sequence
    packet.timestamp = timestamp
    packet.ssrc = ssrc
    packet.end = end
    _lay_out(packet, first)
    return packet


def _lay_out(packet: Packet, first: int) -> None:
    """Fill in the offsets that depend on the first byte's CC, X and P."""
    data, end = packet.data, packet.end
    offset = HEADER_BYTES + 4 * (first & 0x0F)
    packet.ext_profile = packet.ext_offset = packet.ext_end = 0
    if first & 0x10:
        if offset + 4 > end:
            raise ValueError("RTP header extension is cut off")
        packet.ext_profile, words = _EXTENSION.unpack_from(data, offset)
        packet.ext_offset = offset + 4
        offset += 4 + 4 * words
        packet.ext_end = offset
    if offset > end:
        raise ValueError("RTP header is longer than the packet")
    packet.payload_offset = offset
    packet.payload_end = end
    if first & 0x20:
        padding = data[end - 1]
        if padding == 0 or offset + padding > end:
            raise ValueError("RTP padding does not fit")
        packet.payload_end = end - padding


def extensions(packet: Packet) -> list[tuple[int, int, int]]:
    """Every header extension element as (id, offset of its value, bytes), in order.

    A profile RFC 8285 does not define has none. Raises ValueError when an element does not fit.
    """
    profile = packet.ext_profile
    if profile == ONE_BYTE_PROFILE:
        return _one_byte_elements(packet)
    if profile & 0xFFF0 == TWO_BYTE_PROFILE:
        return _two_byte_elements(packet)
    return []


def _one_byte_elements(packet: Packet) -> list[tuple[int, int, int]]:
    data, at, end = packet.data, packet.ext_offset, packet.ext_end
    found: list[tuple[int, int, int]] = []
    while at < end:
        head = data[at]
        at += 1
        if head == 0:  # padding
            continue
        if head >= 0xF0 or head < 0x10:  # 15 and a zero id with a length both end the elements
            break
        length = (head & 0x0F) + 1
        if at + length > end:
            raise ValueError("RTP header extension element does not fit")
        found.append((head >> 4, at, length))
        at += length
    return found


def _two_byte_elements(packet: Packet) -> list[tuple[int, int, int]]:
    data, at, end = packet.data, packet.ext_offset, packet.ext_end
    found: list[tuple[int, int, int]] = []
    while at < end:
        id_ = data[at]
        at += 1
        if id_ == 0:  # padding has no length byte
            continue
        if at >= end or at + 1 + data[at] > end:
            raise ValueError("RTP header extension element does not fit")
        found.append((id_, at + 1, data[at]))
        at += 1 + data[at]
    return found


def find_extension(packet: Packet, wanted: int) -> tuple[int, int] | None:
    """(offset, bytes) of the value with id `wanted`, None when the packet has none."""
    for id_, offset, length in extensions(packet):
        if id_ == wanted:
            return offset, length
    return None


def patch_header(
    data: WriteBuffer,
    offset: int,
    payload_type: int,
    sequence: int,
    timestamp: int,
    ssrc: int,
    marker: int,
) -> None:
    """Overwrite what a Consumer changes in the header at `offset`; V, P, X and CC stay.

    Every number must already be in its range; `marker` is 0 or 1.
    """
    _PATCH.pack_into(data, offset + 1, marker << 7 | payload_type, sequence, timestamp, ssrc)


def build(
    payload: ReadBuffer,
    *,
    payload_type: int,
    sequence: int,
    timestamp: int,
    ssrc: int,
    marker: int = 0,
    elements: list[tuple[int, bytes]] | None = None,
    padding_bytes: int = 0,
) -> bytes:
    """A whole packet; `elements` are (id, value) header extensions, `padding_bytes` 0..255."""
    first = VERSION << 6 | (0x20 if padding_bytes else 0) | (0x10 if elements else 0)
    header = _HEADER.pack(first, marker << 7 | payload_type, sequence, timestamp, ssrc)
    padding = bytes(padding_bytes - 1) + bytes([padding_bytes]) if padding_bytes else b""
    return b"".join((header, pack_elements(elements or []), payload, padding))


def pack_elements(elements: list[tuple[int, bytes]]) -> bytes:
    """The extension block of (id, value) pairs: one-byte form when all fit it, else two-byte."""
    if not elements:
        return b""
    short = all(1 <= id_ <= 14 and 1 <= len(value) <= 16 for id_, value in elements)
    body = b"".join(
        (bytes([id_ << 4 | len(value) - 1]) if short else bytes([id_, len(value)])) + value
        for id_, value in elements
    )
    body += bytes(-len(body) % 4)
    return _EXTENSION.pack(ONE_BYTE_PROFILE if short else TWO_BYTE_PROFILE, len(body) // 4) + body


def padding_packet(
    *, payload_type: int, sequence: int, timestamp: int, ssrc: int, padding_bytes: int = 255
) -> bytes:
    """A packet of padding only, to probe for bandwidth; `padding_bytes` 1..255."""
    return build(
        b"",
        payload_type=payload_type,
        sequence=sequence,
        timestamp=timestamp,
        ssrc=ssrc,
        padding_bytes=padding_bytes,
    )


def rtx_wrap(
    packet: Packet, out: WriteBuffer, *, payload_type: int, ssrc: int, sequence: int
) -> int:
    """Write `packet` as a retransmission into `out`; returns its bytes (RFC 4588 section 4).

    The original sequence number (`packet.sequence`) goes before the payload. `out` must hold two
    bytes more than the packet.
    """
    split, end = packet.payload_offset, packet.end
    out[:split] = packet.data[:split]
    _SEQ.pack_into(out, split, packet.sequence)
    out[split + 2 : end + 2] = packet.data[split:end]
    patch_header(out, 0, payload_type, sequence, packet.timestamp, ssrc, packet.marker)
    return end + 2


def rtx_unwrap(packet: Packet, *, payload_type: int, ssrc: int) -> bytes | None:
    """The original packet inside a retransmission; None for one that is padding only.

    Raises ValueError when the payload cannot hold the original sequence number.
    """
    split, end = packet.payload_offset, packet.payload_end
    if split == end:
        return None
    if end - split < 2:
        raise ValueError("retransmission without its original sequence number")
    data = packet.data
    out = bytearray(end - 2)
    out[:split] = data[:split]
    out[split:] = data[split + 2 : end]
    out[0] &= 0xDF  # the padding stayed behind
    (sequence,) = _SEQ.unpack_from(data, split)
    patch_header(out, 0, payload_type, sequence, packet.timestamp, ssrc, packet.marker)
    return bytes(out)
