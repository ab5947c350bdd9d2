"""What to ask a publisher to send again (RFC 4585 section 6.2.1)."""

from dataclasses import dataclass
from typing import Final, NamedTuple

MAX_RETRIES: Final = 10
MAX_MISSING: Final = 1000
MAX_GAP: Final = 500
"""More packets than this lost in one go are not worth asking for: a keyframe is cheaper."""
MIN_INTERVAL_S: Final = 0.02
MAX_INTERVAL_S: Final = 1.0
DEFAULT_RTT_S: Final = 0.1
MAX_ASKED: Final = 255
"""Sequence numbers in one round, so that the NACK fits a datagram."""


class Wanted(NamedTuple):
    """The outcome of a tick."""

    sequences: list[int]
    """Extended, ascending: ask for these now."""
    gave_up: bool
    """Something will not come any more: ask for a keyframe."""


@dataclass(slots=True)
class _Missing:
    due: float
    tries: int = 0


_NOTHING: Final = Wanted([], gave_up=False)


class NackList:
    """The missing packets of one Producer layer."""

    __slots__ = ("_gave_up", "_highest", "_missing", "due_at", "recovered", "rtt_s")

    def __init__(self) -> None:
        self._highest: int | None = None
        self._missing: dict[int, _Missing] = {}
        self._gave_up = False
        self.due_at = float("inf")
        """When the next tick has something to do."""
        self.rtt_s = DEFAULT_RTT_S
        """Round trip to the publisher; set it from reports."""
        self.recovered = 0
        """Packets that came after they were missing."""

    def add(self, sequence: int, now: float) -> bool:
        """A packet arrived. True when it opened a gap: a tick now asks at once."""
        highest = self._highest
        if highest is None:
            self._highest = sequence
            return False
        if sequence == highest + 1:
            self._highest = sequence
            return False
        if sequence <= highest:
            if self._missing.pop(sequence, None) is not None:
                self.recovered += 1
            return False
        self._highest = sequence
        return self._open_gap(highest + 1, sequence, now)

    def keyframe(self, sequence: int) -> None:
        """A keyframe starts at `sequence`: nothing before it is needed any more."""
        if self._missing:
            self._missing = {s: m for s, m in self._missing.items() if s >= sequence}
        self._gave_up = False

    def tick(self, now: float) -> Wanted:
        """What to ask for now. Each is asked at most ten times, a round trip apart."""
        if now < self.due_at:
            return _NOTHING
        asked: list[int] = []
        interval = min(max(self.rtt_s, MIN_INTERVAL_S), MAX_INTERVAL_S)
        for sequence, missing in list(self._missing.items()):
            if missing.due > now or len(asked) == MAX_ASKED:
                continue
            if missing.tries == MAX_RETRIES:
                del self._missing[sequence]
                self._gave_up = True
                continue
            missing.tries += 1
            missing.due = now + interval
            asked.append(sequence)
        gave_up, self._gave_up = self._gave_up, False
        self.due_at = min((m.due for m in self._missing.values()), default=float("inf"))
        return Wanted(asked, gave_up)

    @property
    def missing(self) -> int:
        """How many packets are waited for."""
        return len(self._missing)

    def _open_gap(self, first: int, end: int, now: float) -> bool:
        self.due_at = now
        if end - first > MAX_GAP or len(self._missing) + end - first > MAX_MISSING:
            self._missing.clear()
            self._gave_up = True
            return True
        for sequence in range(first, end):
            self._missing[sequence] = _Missing(now)
        return True
