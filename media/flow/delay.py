"""Is a queue growing on the path? (draft-ietf-rmcat-gcc-02 section 5, with a trend line filter)."""

import enum
from collections import deque
from typing import Final

BURST_S: Final = 0.005
"""Packets sent within this are one group: their spacing says nothing about the path."""
WINDOW: Final = 20
"""Groups the trend line is fitted to."""
SMOOTHING: Final = 0.9
GAIN: Final = 4.0
MAX_SAMPLES: Final = 60
FIRST_THRESHOLD_MS: Final = 12.5
THRESHOLD_MS: Final = (6.0, 600.0)
GROW_PER_MS: Final = 0.0087
SHRINK_PER_MS: Final = 0.039
"""The threshold follows slowly up and quickly down, or TCP beside us would starve us (5.4)."""
OUTLIER_MS: Final = 15.0
OVERUSE_MS: Final = 10.0
"""The trend must stay above the threshold this long."""
LONG_GAP_S: Final = 5.0
STANDING_MS: Final = 120.0
"""A queue this long that stopped growing has no trend, and is still a queue to drain; one that
shrinks is being drained already."""
BASE_WINDOW_S: Final = 15.0
"""The shortest delay of the last one to two of these is the path without a queue."""


class Usage(enum.Enum):
    """What the trend of one-way delay says."""

    NORMAL = "normal"
    OVER = "over"
    UNDER = "under"


class DelayTrend:
    """Fed with (sent, arrived) of each acknowledged packet in sending order."""

    __slots__ = (
        "_accumulated_ms",
        "_base_ms",
        "_base_since_s",
        "_changed_s",
        "_first_arrival_s",
        "_group",
        "_over_ms",
        "_points",
        "_previous",
        "_queued_ms",
        "_samples",
        "_smoothed_ms",
        "_threshold_ms",
        "_trend",
        "usage",
    )

    def __init__(self) -> None:
        self._threshold_ms = FIRST_THRESHOLD_MS
        self._changed_s: float | None = None
        self._base_ms = (float("inf"), float("inf"))
        self._base_since_s = 0.0
        self._queued_ms = 0.0
        self.reset()

    def reset(self) -> None:
        """Forget the past: after a long silence or a change of path."""
        self.usage = Usage.NORMAL
        self._points: deque[tuple[float, float]] = deque(maxlen=WINDOW)
        self._group: tuple[float, float, float] | None = None
        self._previous: tuple[float, float] | None = None
        self._first_arrival_s = 0.0
        self._accumulated_ms = self._smoothed_ms = 0.0
        self._over_ms = self._trend = 0.0
        self._samples = 0

    def add(self, sent_s: float, arrived_s: float) -> None:
        """One packet: each time by its own clock. Reordered sends are left out."""
        group = self._group
        if group is None:
            self._group = (sent_s, sent_s, arrived_s)
            return
        first, last, latest = group
        if sent_s < last:
            return
        if sent_s - last > LONG_GAP_S:
            self.reset()
            self._base_ms = (float("inf"), float("inf"))
            self._group = (sent_s, sent_s, arrived_s)
        elif sent_s - first <= BURST_S:
            self._group = (first, sent_s, max(latest, arrived_s))
        else:
            self._close(last, latest)
            self._group = (sent_s, sent_s, arrived_s)

    def _close(self, sent_s: float, arrived_s: float) -> None:
        """A group is complete: compare it with the one before."""
        previous, self._previous = self._previous, (sent_s, arrived_s)
        if previous is None:
            self._first_arrival_s = arrived_s
            return
        sent_ms = (sent_s - previous[0]) * 1000
        delta_ms = (arrived_s - previous[1]) * 1000 - sent_ms
        self._samples = min(self._samples + 1, MAX_SAMPLES)
        self._accumulated_ms += delta_ms
        smoothed = self._smoothed_ms
        self._smoothed_ms = SMOOTHING * smoothed + (1 - SMOOTHING) * self._accumulated_ms
        self._points.append(((arrived_s - self._first_arrival_s) * 1000, self._smoothed_ms))
        if len(self._points) == WINDOW:
            self._detect(_slope(self._points), sent_ms, arrived_s)
        before, self._queued_ms = self._queued_ms, self._queue_ms(sent_s, arrived_s)
        if self._queued_ms > STANDING_MS and self._queued_ms >= before:
            self.usage = Usage.OVER

    def _queue_ms(self, sent_s: float, arrived_s: float) -> float:
        """Delay above the shortest seen; the two clocks' offset cancels out."""
        delay_ms = (arrived_s - sent_s) * 1000
        before, current = self._base_ms
        if sent_s - self._base_since_s > BASE_WINDOW_S:
            before, current = current, delay_ms
            self._base_since_s = sent_s
        self._base_ms = before, min(current, delay_ms)
        return delay_ms - min(self._base_ms)

    def _detect(self, trend: float, sent_ms: float, arrived_s: float) -> None:
        modified = self._samples * trend * GAIN
        if modified > self._threshold_ms:
            self._over_ms += sent_ms
            if self._over_ms > OVERUSE_MS and trend >= self._trend:
                self._over_ms = 0.0
                self.usage = Usage.OVER
        else:
            self._over_ms = 0.0
            self.usage = Usage.UNDER if modified < -self._threshold_ms else Usage.NORMAL
        self._trend = trend
        self._adapt(modified, arrived_s)

    def _adapt(self, modified: float, arrived_s: float) -> None:
        before = self._changed_s if self._changed_s is not None else arrived_s
        elapsed_ms = min(max(0.0, (arrived_s - before) * 1000), 100.0)
        self._changed_s = arrived_s
        if abs(modified) > self._threshold_ms + OUTLIER_MS:
            return
        rate = SHRINK_PER_MS if abs(modified) < self._threshold_ms else GROW_PER_MS
        moved = self._threshold_ms + rate * (abs(modified) - self._threshold_ms) * elapsed_ms
        self._threshold_ms = min(max(moved, THRESHOLD_MS[0]), THRESHOLD_MS[1])


def _slope(points: deque[tuple[float, float]]) -> float:
    """Least squares slope, 0 when all lie at one time."""
    start = points[0][0]  # near zero, so that nothing is lost to rounding
    sum_x = sum_y = sum_xx = sum_xy = 0.0
    for x, y in points:
        x -= start  # noqa: PLW2901
        sum_x += x
        sum_y += y
        sum_xx += x * x
        sum_xy += x * y
    below = len(points) * sum_xx - sum_x * sum_x
    return (len(points) * sum_xy - sum_x * sum_y) / below if below > 0 else 0.0
