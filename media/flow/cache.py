"""Recent packets of one Producer layer, to answer NACKs from."""

from typing import Generic, TypeVar

T = TypeVar("T")
_NEVER = -(1 << 62)


class Cache(Generic[T]):
    """A ring by extended sequence number, bounded in slots, bytes and age.

    It keeps what it is given and copies nothing: items are immutable, shared by all Consumers.
    """

    __slots__ = (
        "_added",
        "_items",
        "_mask",
        "_max_age_s",
        "_max_bytes",
        "_newest",
        "_oldest",
        "_sequences",
        "_sizes",
        "total_bytes",
    )

    def __init__(
        self, slots: int = 1024, max_bytes: int = 2 * 1024 * 1024, max_age_s: float = 2.0
    ) -> None:
        """`slots` must be a power of two: 1024 is 2 s of a 5 Mbit/s stream."""
        if slots & (slots - 1) or slots < 1:
            raise ValueError("cache slots must be a power of two")
        self._mask = slots - 1
        self._max_bytes = max_bytes
        self._max_age_s = max_age_s
        self._items: list[T | None] = [None] * slots
        self._sequences = [_NEVER] * slots
        self._sizes = [0] * slots
        self._added = [0.0] * slots
        self._newest = _NEVER
        self._oldest = 0
        self.total_bytes = 0

    def add(self, sequence: int, item: T, size_bytes: int, now: float) -> None:
        """Keep `item`. One too old to fit behind the newest is left out."""
        if self._newest == _NEVER:
            self._newest, self._oldest = sequence, sequence
        elif sequence > self._newest:
            self._advance(sequence)
        elif sequence <= self._newest - len(self._items):
            return
        self._oldest = min(self._oldest, sequence)
        slot = sequence & self._mask
        self.total_bytes += size_bytes - self._sizes[slot]
        self._items[slot] = item
        self._sequences[slot] = sequence
        self._sizes[slot] = size_bytes
        self._added[slot] = now
        while self.total_bytes > self._max_bytes and self._oldest < self._newest:
            self._forget(self._oldest)
            self._oldest += 1

    def get(self, sequence: int, now: float) -> T | None:
        """The item, None when it is not there, too old, or never was."""
        slot = sequence & self._mask
        if self._sequences[slot] != sequence or now - self._added[slot] > self._max_age_s:
            return None
        return self._items[slot]

    def since(self, sequence: int, now: float) -> list[T]:
        """What is there from `sequence` on, in order."""
        found = (self.get(number, now) for number in range(sequence, self._newest + 1))
        return [item for item in found if item is not None]

    def clear(self) -> None:
        """Forget everything, as for a stream that starts anew."""
        for sequence in range(self._oldest, self._newest + 1):
            self._forget(sequence)
        self._newest = _NEVER

    def tick(self, now: float) -> None:
        """Let go of what is too old, so that a paused stream holds no memory."""
        while self._oldest <= self._newest:
            slot = self._oldest & self._mask
            held = self._sequences[slot] == self._oldest
            if held and now - self._added[slot] <= self._max_age_s:
                return
            self._forget(self._oldest)
            self._oldest += 1

    def _advance(self, sequence: int) -> None:
        """Make `sequence` the newest; what falls out of the ring is forgotten."""
        keep_from = sequence - len(self._items) + 1
        for old in range(self._oldest, min(keep_from, self._newest + 1)):
            self._forget(old)
        self._oldest = max(self._oldest, keep_from)
        self._newest = sequence

    def _forget(self, sequence: int) -> None:
        slot = sequence & self._mask
        if self._sequences[slot] == sequence:
            self.total_bytes -= self._sizes[slot]
            self._sequences[slot], self._sizes[slot], self._items[slot] = _NEVER, 0, None
