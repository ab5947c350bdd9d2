"""RTP timestamps of one Consumer: one unbroken line through every source it is switched to."""

_MASK = 0xFFFF_FFFF
_HALF = 0x8000_0000


class Timeline:
    """Per Consumer. Timestamps in and out are 32 bits; they only shift, so spacing is kept."""

    __slots__ = ("_clock_rate", "_last_out", "_last_seen", "_offset", "_started")

    def __init__(self, clock_rate: int, first: int = 0) -> None:
        """`first` is the outgoing timestamp of the first packet."""
        self._clock_rate = clock_rate
        self._last_out = first & _MASK
        self._last_seen = 0.0
        self._offset = 0
        self._started = False

    @property
    def offset(self) -> int:
        """What is added to a timestamp of the current source."""
        return self._offset

    def map(self, timestamp: int, now: float) -> int:
        """The outgoing timestamp of a packet to forward."""
        return (timestamp + self.shift(timestamp, now)) & _MASK

    def shift(self, timestamp: int, now: float) -> int:
        """What `map` adds to the timestamps of packets of which the last has `timestamp`."""
        offset = self._offset
        out = (timestamp + offset) & _MASK
        if 0 < (out - self._last_out) & _MASK < _HALF:
            self._last_out = out
            self._last_seen = now
        return offset

    def switch(self, timestamp: int, now: float, aligned: int | None = None) -> None:
        """A source whose first packet has `timestamp` takes over.

        `aligned` is the same instant in the clock of the source before (from its sender reports);
        without it the time since the last frame stands in. The line never goes back.
        """
        if not self._started:
            out = self._last_out
        elif aligned is not None and self._plausible(aligned, now):
            out = (aligned + self._offset) & _MASK
        else:
            out = self._last_out + self._elapsed(now)
        if self._started and not 0 < (out - self._last_out) & _MASK < _HALF:
            out = self._last_out + 1
        self._started = True
        self._offset = (out - timestamp) & _MASK
        self._last_seen = now

    def _elapsed(self, now: float) -> int:
        return max(1, int((now - self._last_seen) * self._clock_rate))

    def _plausible(self, aligned: int, now: float) -> bool:
        """Within two seconds of what the time since the last frame says: reports may lie."""
        out = (aligned + self._offset) & _MASK
        expected = self._last_out + self._elapsed(now)
        error = ((out - expected + _HALF) & _MASK) - _HALF
        return abs(error) <= 2 * self._clock_rate
