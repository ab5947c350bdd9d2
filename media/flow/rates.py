"""How much one incoming stream brings, by layer, and whether it still comes."""

from typing import Final

from media.flow.layers import Layer

INTERVAL_S: Final = 0.5
SMOOTHING: Final = 0.5
SILENT_S: Final = 1.5
"""A layer that was not heard of for so long, while others were, is not being sent."""
TEMPORAL: Final = 8
SPATIAL: Final = 4


class LayerRates:
    """One Stream. `add` each packet, `tick` now and then."""

    __slots__ = ("_bps", "_bytes", "_started_at", "heard_at", "spatial", "temporal")

    def __init__(self) -> None:
        self._bytes = [0] * (SPATIAL * TEMPORAL)
        self._bps = [0.0] * (SPATIAL * TEMPORAL)
        self._started_at: float | None = None
        self.heard_at = float("-inf")
        """When the latest packet came."""
        self.spatial = 0
        """The highest spatial layer seen."""
        self.temporal = 0
        """The highest temporal layer seen."""

    def add(self, spatial: int, temporal: int, size_bytes: int, now: float) -> None:
        """A packet of that layer came."""
        self._bytes[(spatial & 3) * TEMPORAL + (temporal & 7)] += size_bytes
        self.heard_at = now
        if spatial > self.spatial:
            self.spatial = min(spatial, SPATIAL - 1)
        if temporal > self.temporal:
            self.temporal = min(temporal, TEMPORAL - 1)

    def tick(self, now: float) -> None:
        """Measure, when an interval is over."""
        started = self._started_at
        if started is None:
            self._started_at = now
            return
        elapsed = now - started
        if elapsed < INTERVAL_S:
            return
        for index, count in enumerate(self._bytes):
            fresh = count * 8 / elapsed
            known = self._bps[index]
            self._bps[index] = known + (fresh - known) * SMOOTHING if known else fresh
            self._bytes[index] = 0
        self._started_at = now

    def bps(self, spatial: int = SPATIAL - 1, temporal: int = TEMPORAL - 1) -> float:
        """Of all layers up to these."""
        return sum(
            self._bps[s * TEMPORAL + t]
            for s in range(min(spatial, self.spatial) + 1)
            for t in range(min(temporal, self.temporal) + 1)
        )

    def steps(self) -> list[tuple[Layer, float]]:
        """Each layer that can be had and what it takes, cumulative; the last is everything."""
        found: list[tuple[Layer, float]] = []
        for spatial in range(self.spatial + 1):
            for temporal in range(self.temporal + 1):
                last = temporal == self.temporal
                layer = Layer(spatial, TEMPORAL - 1 if last else temporal)
                bps = self.bps(spatial, temporal)
                if bps > (found[-1][1] if found else 0.0):
                    found.append((layer, bps))
        return found
