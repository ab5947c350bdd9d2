"""How a Participant's connection does, 1 (poor) to 5 (excellent)."""

from typing import Final

LOSS_COST: Final = 25.0
"""One per cent of loss costs a quarter of a point: 4 % is noticed, 16 % is bad."""
RTT_FREE_S: Final = 0.15
RTT_COST_PER_S: Final = 4.0
JITTER_FREE_S: Final = 0.03
JITTER_COST_PER_S: Final = 15.0
SMOOTHING: Final = 0.4
MARGIN: Final = 0.7
"""How far the smoothed value must be from the reported score before that changes."""
WORST, BEST = 1, 5


def score(loss: float, rtt_s: float, jitter_s: float) -> float:
    """1.0..5.0 for a share of packets lost (0..1), round trip and jitter."""
    cost = loss * LOSS_COST
    cost += max(0.0, rtt_s - RTT_FREE_S) * RTT_COST_PER_S
    cost += max(0.0, jitter_s - JITTER_FREE_S) * JITTER_COST_PER_S
    return max(float(WORST), BEST - cost)


class Quality:
    """The score of one Participant, steady enough to show."""

    __slots__ = ("_pending", "_smoothed", "score")

    def __init__(self) -> None:
        self.score = BEST
        """As last reported."""
        self._smoothed = float(BEST)
        self._pending: list[float] = []

    def add(self, loss: float, rtt_s: float, jitter_s: float) -> None:
        """A report came about one of the Participant's tracks."""
        self._pending.append(score(loss, rtt_s, jitter_s))

    def tick(self, _now: float) -> int | None:
        """The score when it changed, else None. The worst track since the last tick counts."""
        if not self._pending:
            return None
        self._smoothed += (min(self._pending) - self._smoothed) * SMOOTHING
        self._pending.clear()
        if abs(self._smoothed - self.score) < MARGIN:
            return None
        self.score = min(BEST, max(WORST, round(self._smoothed)))
        return self.score
