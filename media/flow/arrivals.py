"""When transport-wide numbered packets arrived, to tell their sender."""

from typing import Final, NamedTuple

INTERVAL_S: Final = 0.1
MAX_SPAN: Final = 1000
"""Packets one feedback covers: its statuses and deltas must fit a datagram."""
MAX_AGE_S: Final = 1.0


class Arrived(NamedTuple):
    """One feedback's worth."""

    base: int
    """Extended transport-wide sequence number of the first."""
    number: int
    """Number of this feedback, 8 bits."""
    arrivals_us: tuple[int | None, ...]


class Arrivals:
    """The incoming packets of one Transport that carry transport-wide sequence numbers."""

    __slots__ = ("_arrived", "_count", "_next", "_sent_at")

    def __init__(self) -> None:
        self._arrived: dict[int, float] = {}
        self._next: int | None = None
        self._count = 0
        self._sent_at = 0.0

    def add(self, sequence: int, now: float) -> None:
        """A packet with this extended number arrived. Those already reported are left out."""
        if self._next is None:
            self._next = sequence
        if sequence < self._next:
            return
        if sequence - self._next >= MAX_SPAN:  # jumped, or the feedback lags far behind
            self._next = sequence - MAX_SPAN + 1
            self._arrived = {s: at for s, at in self._arrived.items() if s >= self._next}
        self._arrived.setdefault(sequence, now)

    def tick(self, now: float) -> Arrived | None:
        """A feedback when one is due and something arrived."""
        if not self._arrived or self._next is None or now - self._sent_at < INTERVAL_S:
            return None
        stale = [s for s, at in self._arrived.items() if now - at > MAX_AGE_S]
        for sequence in stale:
            del self._arrived[sequence]
        if not self._arrived:
            return None
        first, last = self._next, max(self._arrived)
        got = (self._arrived.get(sequence) for sequence in range(first, last + 1))
        arrivals = tuple(None if at is None else int(at * 1_000_000) for at in got)
        feedback = Arrived(first, self._count, arrivals)
        self._arrived.clear()
        self._next, self._sent_at = last + 1, now
        self._count = (self._count + 1) & 0xFF
        return feedback
