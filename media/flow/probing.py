"""Padding sent to find out whether more would fit: what is not tried cannot be measured."""

from typing import Final

PROBE_S: Final = 0.6
"""Longer than what arrived is counted over, or no probe could show its whole rate."""
SETTLE_S: Final = 0.5
"""From the end of a probe until its feedback has come."""
FIRST_PAUSE_S: Final = 2.0
MAX_PAUSE_S: Final = 15.0
FACTOR: Final = 2.0
GAINED: Final = 1.2
"""A probe that lifts the estimate by this was worth it."""


class Prober:
    """One subscriber Transport. Tells how much padding to send beside the media."""

    __slots__ = ("_before_bps", "_pause_s", "_started_at", "_until")

    def __init__(self) -> None:
        self._pause_s = FIRST_PAUSE_S
        self._started_at = float("-inf")
        self._until = float("-inf")
        self._before_bps = 0.0

    def tick(self, estimate_bps: float, wanted_bps: float, sending_bps: float, now: float) -> float:
        """Bits/s of padding to send until the next tick; 0 most of the time.

        `wanted_bps` is what all wishes together would take, `sending_bps` what is sent now.
        """
        if now < self._until:
            goal = min(FACTOR * self._before_bps, 1.1 * wanted_bps)
            return max(0.0, goal - sending_bps)
        if self._before_bps:
            if now < self._until + SETTLE_S:
                return 0.0
            self._judge(estimate_bps)
        if estimate_bps >= wanted_bps or now - self._started_at < self._pause_s:
            return 0.0
        self._started_at, self._until = now, now + PROBE_S
        self._before_bps = estimate_bps
        return max(0.0, min(FACTOR * estimate_bps, 1.1 * wanted_bps) - sending_bps)

    def stop(self) -> None:
        """The path is overused or lossy: no probe now."""
        self._until = float("-inf")

    def _judge(self, estimate_bps: float) -> None:
        worth = estimate_bps >= GAINED * self._before_bps
        self._pause_s = FIRST_PAUSE_S if worth else min(self._pause_s * 2, MAX_PAUSE_S)
        self._before_bps = 0.0
