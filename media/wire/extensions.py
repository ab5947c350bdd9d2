"""RTP header extensions by name: their URIs, their values, and moving them between id spaces.

Publishers choose their own ids. `ExtensionMap` renumbers a packet once on arrival to the ids the
SFU offers to every subscriber, so that a Consumer only writes values at known offsets.
"""

import enum
from collections.abc import Mapping
from struct import Struct
from typing import Final

from media.wire.buffers import ReadBuffer, WriteBuffer
from media.wire.rtp import (
    HEADER_BYTES,
    ONE_BYTE_PROFILE,
    TWO_BYTE_PROFILE,
    Packet,
    extensions,
)


class Uri(enum.StrEnum):
    """The extensions the SFU understands."""

    MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
    RID = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
    REPAIRED_RID = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
    AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
    TOFFSET = "urn:ietf:params:rtp-hdrext:toffset"
    ORIENTATION = "urn:3gpp:video-orientation"
    ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
    ABS_CAPTURE_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"
    PLAYOUT_DELAY = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
    CONTENT_TYPE = "http://www.webrtc.org/experiments/rtp-hdrext/video-content-type"
    TRANSPORT_CC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
    DEPENDENCY_DESCRIPTOR = (
        "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
    )


ABS_SEND_TIME_BYTES: Final = 3
TRANSPORT_CC_BYTES: Final = 2
_SEQ = Struct("!H")
_EXTENSION = Struct("!HH")


class ExtensionMap:
    """From one publisher's extension ids to ours. Elements we do not offer are blanked.

    `incoming` and `outgoing` are URI -> id. Ids above 14 need the two-byte form; since a packet
    keeps its form, an outgoing id must be 1..14.
    """

    __slots__ = ("_ids", "same")

    def __init__(self, incoming: Mapping[str, int], outgoing: Mapping[str, int]) -> None:
        if any(not 1 <= id_ <= 14 for id_ in outgoing.values()):
            raise ValueError("outgoing extension ids must be 1..14")
        ids = [0] * 256
        for uri, id_ in incoming.items():
            if 1 <= id_ <= 255:
                ids[id_] = outgoing.get(uri, 0)
        self._ids = tuple(ids)
        self.same = all(outgoing.get(uri) == id_ for uri, id_ in incoming.items())
        """True when every id already is the outgoing one: nothing needs rewriting."""

    def rewrite(self, data: WriteBuffer, packet: Packet) -> dict[int, tuple[int, int]]:
        """Renumber the elements of `data`, which `packet` was parsed from (or a copy of it).

        Returns outgoing id -> (offset, bytes) of what stayed. Raises ValueError when an element
        does not fit.
        """
        ids = self._ids
        one_byte = packet.ext_profile == ONE_BYTE_PROFILE
        found: dict[int, tuple[int, int]] = {}
        for id_, offset, length in extensions(packet):
            new = ids[id_]
            if new == 0:
                blank(data, packet, offset, length)
                continue
            found[new] = (offset, length)
            if one_byte:
                data[offset - 1] = new << 4 | length - 1
            else:
                data[offset - 2] = new
        return found


def blank(data: WriteBuffer, packet: Packet, offset: int, length: int) -> None:
    """Turn the element whose value lies at `offset` into padding (RFC 8285 section 4.1.2)."""
    start = offset - (1 if packet.ext_profile == ONE_BYTE_PROFILE else 2)
    data[start : offset + length] = bytes(offset + length - start)


def insert(
    packet: Packet, elements: list[tuple[int, bytes]]
) -> tuple[bytearray, dict[int, tuple[int, int]]]:
    """A copy of `packet` with `elements` (1..14, 1..16 bytes) before those it has.

    Also returns id -> (offset, bytes) of the new ones. Elements of a profile that RFC 8285 does
    not define are left out, as nobody reads them. Raises ValueError when the block gets too long.
    """
    long = packet.ext_profile & 0xFFF0 == TWO_BYTE_PROFILE
    known = long or packet.ext_profile == ONE_BYTE_PROFILE
    data = packet.data
    old = bytes(data[packet.ext_offset : packet.ext_end]) if known else b""
    body, found = bytearray(), {}
    start = HEADER_BYTES + 4 * (data[0] & 0x0F)
    for id_, value in elements:
        body += bytes([id_, len(value)]) if long else bytes([id_ << 4 | len(value) - 1])
        found[id_] = (start + 4 + len(body), len(value))
        body += value
    body += bytes(-len(body) % 4)  # so that the old ones move as far as the payload does
    body += old
    if len(body) // 4 > 0xFFFF:
        raise ValueError("RTP header extension is too long")
    profile = packet.ext_profile if known else ONE_BYTE_PROFILE
    grown = bytearray(data[:start])
    grown[0] |= 0x10
    grown += _EXTENSION.pack(profile, len(body) // 4) + body
    grown += data[packet.payload_offset : packet.end]
    return grown, found


def audio_level(data: ReadBuffer, offset: int) -> tuple[int, bool]:
    """(level, voice) at `offset`: 0 is loudest, 127 silence, in -dBov (RFC 6464 section 3)."""
    return data[offset] & 0x7F, bool(data[offset] & 0x80)


def abs_send_time(seconds: float) -> int:
    """`seconds` of any clock as the 24-bit 6.18 fixed point value of abs-send-time."""
    return int(seconds * 262_144) & 0xFF_FFFF


def write_abs_send_time(data: WriteBuffer, offset: int, value: int) -> None:
    """Write a value of `abs_send_time` at `offset`."""
    data[offset : offset + 3] = value.to_bytes(3, "big")


def write_transport_seq(data: WriteBuffer, offset: int, sequence: int) -> None:
    """Write a transport-wide sequence number (0..65535) at `offset`."""
    _SEQ.pack_into(data, offset, sequence)


def read_transport_seq(data: ReadBuffer, offset: int) -> int:
    """The transport-wide sequence number at `offset`."""
    return int(_SEQ.unpack_from(data, offset)[0])


def sdes_text(data: ReadBuffer, offset: int, length: int) -> str:
    """The value of a MID or RID element (RFC 8852, RFC 9143). Raises ValueError if not ASCII."""
    return bytes(data[offset : offset + length]).decode("ascii")
