"""What sender and receiver reports say (RFC 3550 section 6.4, appendix A.3 and A.8)."""

from collections import deque
from typing import Final, NamedTuple

_MASK: Final = 0xFFFF_FFFF
_HALF: Final = 0x8000_0000
NTP_EPOCH_S: Final = 2_208_988_800
"""Seconds from 1900 to 1970."""
RTT_MAX_S: Final = 30.0
_REPORTS_KEPT: Final = 8
_JITTER_GAIN: Final = 16


def ntp_time(unix_s: float) -> int:
    """64-bit NTP time of a Unix time in seconds."""
    return int((unix_s + NTP_EPOCH_S) * 4_294_967_296) & 0xFFFF_FFFF_FFFF_FFFF


def ntp_middle(ntp: int) -> int:
    """The middle 32 bits, as LSR holds them."""
    return ntp >> 16 & _MASK


class ReceptionReport(NamedTuple):
    """The fields of a report block."""

    fraction_lost: int
    packets_lost: int
    highest_sequence: int
    jitter: int
    last_sr: int
    delay_since_sr: int


class Clock:
    """Ties a source's RTP timestamps to its NTP time, by its latest sender report."""

    __slots__ = ("_ntp", "_timestamp", "clock_rate", "received_at")

    def __init__(self, clock_rate: int) -> None:
        self.clock_rate = clock_rate
        self.received_at: float | None = None
        """When the latest report came, None before the first."""
        self._ntp = 0
        self._timestamp = 0

    @property
    def ntp(self) -> int:
        """NTP time of the latest report."""
        return self._ntp

    def sender_report(self, ntp: int, timestamp: int, now: float) -> None:
        """A sender report came."""
        self._ntp, self._timestamp, self.received_at = ntp, timestamp, now

    def at(self, now: float) -> tuple[int, int] | None:
        """(NTP, RTP timestamp) of the source's clocks now; None before the first report."""
        if self.received_at is None:
            return None
        elapsed = now - self.received_at
        ntp = self._ntp + int(elapsed * 4_294_967_296) & 0xFFFF_FFFF_FFFF_FFFF
        return ntp, self._timestamp + int(elapsed * self.clock_rate) & _MASK

    def translate(self, timestamp: int, other: "Clock") -> int | None:
        """The instant `timestamp` of this source as a timestamp of `other`, of the same sender.

        None when either has had no report yet.
        """
        if self.received_at is None or other.received_at is None:
            return None
        since = ((timestamp - self._timestamp + _HALF) & _MASK) - _HALF
        between = (self._ntp - other.ntp) / 4_294_967_296
        ticks = round((since / self.clock_rate + between) * other.clock_rate)
        return (other.timestamp + ticks) & _MASK

    @property
    def timestamp(self) -> int:
        """RTP timestamp of the latest report."""
        return self._timestamp


class Reception:
    """Statistics of one incoming source, for the receiver reports we send."""

    __slots__ = (
        "_base",
        "_expected_before",
        "_highest",
        "_jitter",
        "_received_before",
        "_transit",
        "bytes",
        "clock",
        "packets",
    )

    def __init__(self, clock_rate: int) -> None:
        self.clock = Clock(clock_rate)
        self.packets = 0
        self.bytes = 0
        self._base = 0
        self._highest = 0
        self._jitter = 0.0
        self._transit: int | None = None
        self._expected_before = 0
        self._received_before = 0

    def add(self, sequence: int, timestamp: int, size_bytes: int, now: float) -> None:
        """A packet came; `sequence` is extended. Retransmissions are not for here."""
        if self.packets == 0:
            self._base = self._highest = sequence
        elif sequence > self._highest:
            self._highest = sequence
        self.packets += 1
        self.bytes += size_bytes
        transit = int(now * self.clock.clock_rate) - timestamp & _MASK
        if self._transit is not None:
            moved = ((transit - self._transit + _HALF) & _MASK) - _HALF
            self._jitter += (abs(moved) - self._jitter) / _JITTER_GAIN
        self._transit = transit

    @property
    def lost(self) -> int:
        """Packets lost since the start; duplicates can make it negative."""
        return self._highest - self._base + 1 - self.packets if self.packets else 0

    @property
    def jitter_s(self) -> float:
        """Interarrival jitter in seconds."""
        return self._jitter / self.clock.clock_rate

    def report(self, now: float) -> ReceptionReport:
        """The next report block; the fraction counts from the one before."""
        expected = self._highest - self._base + 1 if self.packets else 0
        due, got = expected - self._expected_before, self.packets - self._received_before
        self._expected_before, self._received_before = expected, self.packets
        fraction = min(255, max(0, (due - got) * 256 // due)) if due > 0 else 0
        received_at = self.clock.received_at
        return ReceptionReport(
            fraction_lost=fraction,
            packets_lost=self.lost,
            highest_sequence=self._highest & _MASK,
            jitter=min(int(self._jitter), _MASK),
            last_sr=0 if received_at is None else ntp_middle(self.clock.ntp),
            delay_since_sr=0 if received_at is None else int((now - received_at) * 65536) & _MASK,
        )


class SenderInfo(NamedTuple):
    """The fields of a sender report."""

    ntp: int
    timestamp: int
    packets: int
    octets: int


class Transmission:
    """Counters of one outgoing source, for the sender reports we send.

    The NTP time in them is the publisher's own, so that its audio and video stay in step at the
    receiver; until the publisher's first report there is nothing to say.
    """

    __slots__ = ("_sent", "octets", "packets")

    def __init__(self) -> None:
        self.packets = 0
        self.octets = 0
        self._sent: deque[tuple[int, float]] = deque(maxlen=_REPORTS_KEPT)

    def add(self, payload_bytes: int) -> None:
        """A packet was sent."""
        self.packets += 1
        self.octets += payload_bytes

    def report(self, clock: Clock, timestamp_offset: int, now: float) -> SenderInfo | None:
        """The next report from the publisher's `clock`; None while it cannot be told.

        `timestamp_offset` is what the Consumer's timeline adds to the source's timestamps.
        """
        instant = clock.at(now)
        if instant is None or self.packets == 0:
            return None
        ntp, timestamp = instant
        self._sent.append((ntp_middle(ntp), now))
        timestamp = (timestamp + timestamp_offset) & _MASK
        return SenderInfo(ntp, timestamp, self.packets & _MASK, self.octets & _MASK)

    def round_trip_s(self, last_sr: int, delay_since_sr: int, now: float) -> float | None:
        """Seconds to the receiver and back by its report block; None if it answers none of ours."""
        for middle, sent_at in reversed(self._sent):
            if middle == last_sr and last_sr:
                rtt = now - sent_at - delay_since_sr / 65536
                return rtt if 0.0 <= rtt <= RTT_MAX_S else None
        return None
