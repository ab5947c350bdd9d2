"""What a datagram is, by its first byte (RFC 7983 section 7)."""

import enum

from media.wire.buffers import ReadBuffer


class Kind(enum.IntEnum):
    """The protocols that share one UDP socket."""

    JUNK = 0
    STUN = 1
    DTLS = 2
    RTP = 3
    RTCP = 4


def _by_first_byte(first: int) -> Kind:
    if first <= 3:
        return Kind.STUN
    if 20 <= first <= 63:
        return Kind.DTLS
    if 128 <= first <= 191:
        return Kind.RTP
    return Kind.JUNK  # ZRTP (16..19), TURN channels (64..79) and the unassigned: not ours


_FIRST = tuple(_by_first_byte(first) for first in range(256))
# RTCP packet types fall where RTP has marker and a payload type of 64..95 (RFC 5761 section 4).
_SECOND = tuple(Kind.RTCP if 192 <= second <= 223 else Kind.RTP for second in range(256))

MIN_RTP_BYTES = 12
MIN_RTCP_BYTES = 8


def classify(data: ReadBuffer, length: int | None = None) -> Kind:
    """The protocol of `data`; never raises. An empty or hopelessly short datagram is JUNK."""
    size = len(data) if length is None else length
    if size < 2:
        return Kind.JUNK
    kind = _FIRST[data[0]]
    if kind is not Kind.RTP:
        return kind
    kind = _SECOND[data[1]]
    least = MIN_RTP_BYTES if kind is Kind.RTP else MIN_RTCP_BYTES
    return kind if size >= least else Kind.JUNK
