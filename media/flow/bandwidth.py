"""How much one subscriber's path carries (draft-ietf-rmcat-gcc-02): delay, loss, and REMB."""

from array import array
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from media.flow.delay import DelayTrend, Usage

START_BPS: Final = 1_000_000.0
MIN_BPS: Final = 50_000.0
MAX_BPS: Final = 50_000_000.0
HISTORY: Final = 8192
"""Sent packets remembered until their feedback, a power of two."""
BACKOFF: Final = 0.85
INCREASE_PER_S: Final = 1.08
ADDITIVE_BITS: Final = 9600
"""Near the last known limit grow by about one packet each response time (section 5.5)."""
RESPONSE_S: Final = 0.2
ACKED_WINDOW_S: Final = 0.5
"""By the receiver's clock: feedback comes in lumps, and late on a busy machine."""
ACKED_VALID_S: Final = 2.0
LOSS_HIGH: Final = 0.10
LOSS_LOW: Final = 0.02
LOSS_MIN_PACKETS: Final = 20
LOSS_HOLD_S: Final = 0.3
LOSS_RECOVERY_PER_S: Final = 1.2
"""While nothing is lost, the bound that loss set goes away: what arrives is proof enough."""
ARRIVES: Final = 0.95
"""Of what arrived, the share that is taken for granted."""
REMB_VALID_S: Final = 5.0
_WRAP_US: Final = 64_000 << 24


class SendHistory:
    """When and how large each transport-wide numbered packet was sent. No object per packet."""

    __slots__ = ("_at", "_next", "_sizes", "_taken")

    def __init__(self) -> None:
        self._at = array("d", bytes(8 * HISTORY))
        self._sizes = array("l", [0]) * HISTORY
        self._taken = array("l", [-1]) * HISTORY
        """The number of the last packet in this slot that was taken."""
        self._next = 0

    def sent(self, size_bytes: int, now: float) -> int:
        """Note a packet; returns its 16-bit transport-wide sequence number."""
        sequence = self._next
        slot = sequence & HISTORY - 1
        self._at[slot] = now
        self._sizes[slot] = size_bytes
        self._next = sequence + 1
        return sequence & 0xFFFF

    def sent_batch(self, sizes_bytes: "array[int]", times: "array[float]") -> Iterable[int]:
        """Note packets that leave together; returns their 16-bit numbers."""
        first, count = self._next, len(sizes_bytes)
        if count == 1:
            return (self.sent(sizes_bytes[0], times[0]),)
        slot, number = first & HISTORY - 1, first & 0xFFFF
        if slot + count > HISTORY:  # also where the numbers wrap
            return list(map(self.sent, sizes_bytes, times))
        self._at[slot : slot + count] = times
        self._sizes[slot : slot + count] = sizes_bytes
        self._next = first + count
        return range(number, number + count)

    def take(self, sequence: int) -> tuple[float, int] | None:
        """(sent at, bytes) of a 16-bit number, once; None when it is not known (any more)."""
        extended = self._extended(sequence)
        slot = extended & HISTORY - 1
        if extended < 0 or self._taken[slot] == extended:
            return None
        self._taken[slot] = extended
        return self._at[slot], self._sizes[slot]

    def sent_after(self, sequence: int, at: float) -> bool:
        """Whether a 16-bit number that is not taken yet was sent after a time."""
        extended = self._extended(sequence)
        slot = extended & HISTORY - 1
        return extended >= 0 and self._taken[slot] != extended and self._at[slot] > at

    def _extended(self, sequence: int) -> int:
        """The whole number of a packet that is remembered; below 0 for none."""
        age = (self._next - 1 - sequence) & 0xFFFF
        return self._next - 1 - age if age < HISTORY else -1


class _Acked(NamedTuple):
    """What one feedback told of."""

    arrived_s: float
    """The latest of its packets, by the receiver's clock."""
    size_bytes: int
    at: float
    """When it came, by ours."""


class Estimator:
    """One subscriber Transport. Feed it feedback, read `estimate_bps` after `tick`."""

    __slots__ = (
        "_acked",
        "_acked_bytes",
        "_covered",
        "_cut_at",
        "_delay_bps",
        "_limit_bps",
        "_loss_at",
        "_loss_bps",
        "_lost",
        "_remb",
        "_ticked_at",
        "_trend",
        "_unwrapped_us",
        "estimate_bps",
        "history",
        "loss",
        "over_at",
    )

    def __init__(self, start_bps: float = START_BPS) -> None:
        self.history = SendHistory()
        self.estimate_bps = start_bps
        self.loss = 0.0
        """Share of packets lost by the latest report, 0..1."""
        self.over_at = float("-inf")
        """When a queue was last seen to grow, or more than a little was lost."""
        self._delay_bps = start_bps
        self._loss_bps = MAX_BPS
        self._limit_bps: float | None = None
        self._loss_at = float("-inf")
        self._cut_at = float("-inf")
        """When the rate was last lowered: what was sent before says nothing about the new one."""
        self._remb: tuple[float, float] | None = None
        self._trend = DelayTrend()
        self._acked: deque[_Acked] = deque()
        self._acked_bytes = 0
        self._lost = self._covered = 0
        self._ticked_at: float | None = None
        self._unwrapped_us: int | None = None

    def feedback(self, base: int, arrivals_us: Sequence[int | None], now: float) -> None:
        """Transport-wide feedback came: arrival times from the 16-bit `base` on."""
        lost = known = acked = 0
        latest_s = 0.0
        for index, arrival_us in enumerate(arrivals_us):
            if arrival_us is None:
                lost += self.history.sent_after((base + index) & 0xFFFF, self._cut_at)
                continue
            packet = self.history.take((base + index) & 0xFFFF)
            if packet is None:
                continue
            arrived_s = self._unwrap(arrival_us) / 1_000_000
            if packet[0] > self._cut_at:
                known += 1
                self._trend.add(packet[0], arrived_s)
            acked += packet[1]
            latest_s = max(latest_s, arrived_s)
        if acked:
            self._ack(_Acked(latest_s, acked, now))
        self._count_loss(lost, known + lost, now)
        self._control_delay(now)

    def report_loss(self, share: float, now: float) -> None:
        """A share of packets (0..1) was lost: from a receiver report or feedback (section 6)."""
        self.loss = share
        elapsed = now - self._loss_at
        if elapsed < LOSS_HOLD_S:
            return
        self._loss_at = now
        current = min(self._loss_bps, self.estimate_bps)
        if share > LOSS_HIGH:
            self.over_at = self._cut_at = now
            proved = min(current, ARRIVES * self.acked_bps)
            self._loss_bps = max(MIN_BPS, proved, current * (1.0 - 0.5 * share))
        elif share < LOSS_LOW:
            grown = self._loss_bps * LOSS_RECOVERY_PER_S ** min(elapsed, 2.0)
            self._loss_bps = min(MAX_BPS, max(grown, self.acked_bps))
        else:
            self._loss_bps = current

    def remb(self, bitrate_bps: float, now: float) -> None:
        """The receiver's own estimate came."""
        self._remb = (max(MIN_BPS, bitrate_bps), now)

    def tick(self, now: float) -> float:
        """The estimate in bits/s."""
        remb = MAX_BPS
        if self._remb is not None and now - self._remb[1] <= REMB_VALID_S:
            remb = self._remb[0]
            if not self._acked_bytes:  # no transport feedback: the receiver knows best
                self._delay_bps = remb
        self._forget(now)
        lowest = min(self._delay_bps, self._loss_bps, remb, MAX_BPS)
        self.estimate_bps = max(MIN_BPS, lowest)
        return self.estimate_bps

    @property
    def acked_bps(self) -> float:
        """What has arrived lately."""
        if not self._acked:
            return 0.0
        first, last = self._acked[0], self._acked[-1]
        if last.arrived_s - first.arrived_s < ACKED_WINDOW_S:
            return self._acked_bytes * 8 / ACKED_WINDOW_S
        return (self._acked_bytes - first.size_bytes) * 8 / (last.arrived_s - first.arrived_s)

    def _count_loss(self, lost: int, packets: int, now: float) -> None:
        """Gather feedback until it covers enough packets to speak of a share."""
        self._lost += lost
        self._covered += packets
        if self._covered >= LOSS_MIN_PACKETS:
            self.report_loss(self._lost / self._covered, now)
            self._lost = self._covered = 0

    def _unwrap(self, arrival_us: int) -> int:
        """Undo the wrap of the 24-bit reference time."""
        last = self._unwrapped_us
        if last is not None:
            half = _WRAP_US // 2
            arrival_us = last + ((arrival_us - last + half) % _WRAP_US) - half
        self._unwrapped_us = arrival_us
        return arrival_us

    def _ack(self, acked: _Acked) -> None:
        """Keep what covers the window, from one feedback before it on."""
        self._acked.append(acked)
        self._acked_bytes += acked.size_bytes
        while len(self._acked) > 2 and self._acked[1].arrived_s <= (
            acked.arrived_s - ACKED_WINDOW_S
        ):
            self._acked_bytes -= self._acked.popleft().size_bytes

    def _forget(self, now: float) -> None:
        if self._acked and now - self._acked[-1].at > ACKED_VALID_S:
            self._acked.clear()
            self._acked_bytes = 0

    def _control_delay(self, now: float) -> None:
        """Additive increase, multiplicative decrease by the trend (section 5.5)."""
        self._forget(now)
        elapsed = min(now - self._ticked_at, 1.0) if self._ticked_at is not None else 0.0
        self._ticked_at = now
        usage = self._trend.usage
        if usage is Usage.OVER:
            self.over_at = self._cut_at = now
            self._limit_bps = self.acked_bps
            self._delay_bps = max(MIN_BPS, min(self._delay_bps, BACKOFF * self.acked_bps))
            self._trend.reset()
        elif usage is Usage.NORMAL:
            self._increase(elapsed)

    def _increase(self, elapsed: float) -> None:
        acked = self.acked_bps
        # What has arrived without a queue growing is proof; beyond half as much again is guessing.
        if self._delay_bps < 1.5 * acked + 10_000:
            near = self._limit_bps is not None and self._delay_bps > 0.9 * self._limit_bps
            grown = self._delay_bps * INCREASE_PER_S**elapsed
            if near:
                grown = self._delay_bps + ADDITIVE_BITS * elapsed / RESPONSE_S
            self._delay_bps = grown
        if self._limit_bps is not None and acked > 1.2 * self._limit_bps:
            self._limit_bps = None
        self._delay_bps = min(MAX_BPS, max(self._delay_bps, ARRIVES * acked))
