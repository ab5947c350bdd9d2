"""The estimate against a simulated bottleneck: one queue, tail drop, 20 ms each way."""

import itertools
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.flow.bandwidth import HISTORY, MIN_BPS, Estimator, SendHistory
from media.flow.probing import PROBE_S, Prober

PACKET_BYTES = 1200


class Bottleneck:
    """Sends at the estimate through a queue of `capacity_bps`; feedback every 100 ms."""

    def __init__(self, capacity_bps: float, start_bps: float, queue_s: float = 0.3) -> None:
        self.capacity_bps = capacity_bps
        self.estimator = Estimator(start_bps)
        self._queue_s = queue_s
        self._free_at = self._sent_until = self._now = 0.0
        self._flying: list[tuple[int, float | None]] = []
        self.delays: list[float] = []

    def run(self, seconds: float, sending_bps: float | None = None) -> float:
        """Let time pass; the estimate at the end."""
        for _ in range(int(seconds * 10)):
            self._now += 0.1
            rate = sending_bps or self.estimator.estimate_bps
            while self._sent_until < self._now:
                self._send()
                self._sent_until += PACKET_BYTES * 8 / rate
            self._feedback()
        return self.estimator.estimate_bps

    def _send(self) -> None:
        sequence = self.estimator.history.sent(PACKET_BYTES, self._sent_until)
        start = max(self._free_at, self._sent_until)
        if start - self._sent_until > self._queue_s:
            self._flying.append((sequence, None))
            return
        self._free_at = start + PACKET_BYTES * 8 / self.capacity_bps
        self.delays.append(self._free_at - self._sent_until)
        self._flying.append((sequence, self._free_at + 0.02))

    def _feedback(self) -> None:
        got = []
        while self._flying and (self._flying[0][1] or 0.0) <= self._now:
            got.append(self._flying.pop(0))
        arrivals = [None if at is None else int(at * 1_000_000) for _, at in got]
        if got:
            self.estimator.feedback(got[0][0], arrivals, self._now)
        self.estimator.tick(self._now)


@pytest.mark.parametrize("capacity_bps", [300_000, 1_000_000, 4_000_000])
@pytest.mark.parametrize("start_bps", [200_000, 1_000_000])
def test_finds_the_capacity_and_stays(capacity_bps: float, start_bps: float) -> None:
    link = Bottleneck(capacity_bps, start_bps)
    link.run(45)  # 8 % a second, as section 5.5 has it; probes, which jump, are not at test here
    later = [link.run(1) for _ in range(20)]
    assert all(0.6 * capacity_bps < bps < 1.2 * capacity_bps for bps in later)
    assert sum(later) / 20 > 0.75 * capacity_bps


def test_does_not_keep_the_queue_full() -> None:
    link = Bottleneck(1_000_000, 1_000_000)
    link.run(20)
    link.delays.clear()
    link.run(30)
    assert sum(link.delays) / len(link.delays) < 0.12


def test_follows_a_drop_within_seconds() -> None:
    link = Bottleneck(4_000_000, 4_000_000)
    link.run(10)
    link.capacity_bps = 500_000
    assert link.run(6) < 700_000


def test_does_not_guess_far_beyond_what_is_sent() -> None:
    link = Bottleneck(50_000_000, 500_000)
    assert link.run(60, sending_bps=300_000) < 700_000


def test_loss_without_delay() -> None:
    estimator = Estimator(1_000_000)
    for second in range(10):
        estimator.report_loss(0.2, float(second))
        estimator.tick(float(second))
    assert MIN_BPS <= estimator.estimate_bps < 400_000
    for second in range(10, 40):
        estimator.report_loss(0.0, float(second))
        estimator.tick(float(second))
    assert estimator.estimate_bps > 900_000


def test_remb_bounds_and_leads_where_there_is_nothing_else() -> None:
    estimator = Estimator(1_000_000)
    estimator.remb(3_000_000, 0.0)
    assert estimator.tick(0.1) == 3_000_000
    estimator.remb(200_000, 1.0)
    assert estimator.tick(1.1) == 200_000


def test_feedback_about_packets_never_sent_changes_nothing() -> None:
    estimator = Estimator(1_000_000)
    estimator.feedback(500, [1, 2, 3], 1.0)
    assert estimator.tick(1.0) == 1_000_000


def test_history_knows_each_packet_once() -> None:
    history = SendHistory()
    numbers = [history.sent(100 + i, float(i)) for i in range(3)]
    assert numbers == [0, 1, 2]
    assert history.take(1) == (1.0, 101)
    assert history.take(1) is None
    assert history.take(3) is None


def test_history_wraps() -> None:
    history = SendHistory()
    for i in range(70_000):
        last = history.sent(1, float(i))
    assert last == 69_999 & 0xFFFF
    assert history.take(last) == (69_999.0, 1)
    assert history.take((69_999 - 8192) & 0xFFFF) is None


@given(st.lists(st.integers(1, 60), min_size=1), st.integers(1, 16), st.integers(0, 60))
def test_packets_that_leave_together_are_noted_like_single_ones(
    counts: list[int], rounds: int, short: int
) -> None:
    single, together = SendHistory(), SendHistory()
    single._next = together._next = before = rounds * HISTORY - short
    for n, count in enumerate(counts):
        sizes, times = array("l", range(count)), array("d", (float(n),)) * count
        numbers = [single.sent(size, now) for size, now in zip(sizes, times, strict=True)]
        assert list(together.sent_batch(sizes, times)) == numbers
    told = range(before - 10, single._next + 10)
    took = [single.take(number & 0xFFFF) for number in told]
    assert [together.take(number & 0xFFFF) for number in told] == took
    assert not any(together.sent_after(number & 0xFFFF, -1.0) for number in told[10:-10])


def test_prober_tries_briefly_and_less_often_when_it_gains_nothing() -> None:
    prober, probes, now, probing = Prober(), [], 0.0, False
    while now < 60.0:
        padding = prober.tick(500_000, 2_000_000, 400_000, now)
        if padding and not probing:
            probes.append(now)
        probing = padding > 0
        assert padding <= 600_000
        now += 0.05
    pauses = [round(later - earlier, 3) for earlier, later in itertools.pairwise(probes)]
    assert pauses == sorted(pauses)
    assert 4 <= len(probes) <= 7


def test_prober_is_quiet_when_all_is_had_or_the_path_suffers() -> None:
    assert Prober().tick(2_000_000, 1_000_000, 900_000, 0.0) == 0.0
    prober = Prober()
    assert prober.tick(500_000, 2_000_000, 400_000, 0.0) > 0
    prober.stop()
    assert prober.tick(500_000, 2_000_000, 400_000, PROBE_S / 2) == 0.0
