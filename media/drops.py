"""Why packets are dropped: every drop is counted under one reason."""

import enum


class DropReason(enum.IntEnum):
    """One word per way a packet can end here. The values index `Drops.counts`."""

    # the datagram
    TOO_SHORT = 0
    UNKNOWN_PROTOCOL = 1
    TRUNCATED = 2
    # STUN
    STUN_MALFORMED = 3
    STUN_UNKNOWN_USER = 4
    STUN_INTEGRITY = 5
    STUN_UNEXPECTED = 6
    STUN_ADDRESS_TAKEN = 7
    # DTLS
    UNVERIFIED_ADDRESS = 8
    DTLS_QUEUE_FULL = 9
    DTLS_PLAIN_ALERT = 10
    DTLS_MALFORMED = 11
    SCTP_MALFORMED = 12
    # SRTP
    NO_KEYS = 13
    SRTP_AUTH = 14
    SRTP_REPLAY = 15
    # RTP
    RTP_MALFORMED = 16
    RTP_UNKNOWN_SSRC = 17
    RTP_UNKNOWN_PAYLOAD = 18
    RTP_DUPLICATE = 19
    RTP_PADDING_ONLY = 20
    RTX_MALFORMED = 21
    RTCP_MALFORMED = 22
    STREAM_LIMIT = 23
    # forwarding
    LAYER_NOT_WANTED = 24
    WAITING_FOR_KEYFRAME = 25
    CONSUMER_PAUSED = 26
    PRODUCER_MUTED = 27
    TRANSPORT_NOT_READY = 28
    CODEC_NOT_OFFERED = 29
    TOO_OLD = 30
    # egress
    TOO_LARGE = 31
    EGRESS_FULL = 32
    EGRESS_ERROR = 33
    PROTECT_FAILED = 34
    # bandwidth
    NO_BANDWIDTH = 35


class Drops:
    """One counter per DropReason. The hot path does `drops.counts[reason] += 1`."""

    __slots__ = ("counts",)

    def __init__(self) -> None:
        self.counts = [0] * len(DropReason)

    def add(self, reason: DropReason, count: int = 1) -> None:
        """Count `count` packets dropped for `reason`."""
        self.counts[reason] += count

    def as_dict(self) -> dict[str, int]:
        """Reasons that happened, by lower-case name."""
        return {r.name.lower(): self.counts[r] for r in DropReason if self.counts[r]}
