"""Numbers of one source become numbers of one Consumer, without holes for what we dropped.

The same arithmetic serves sequence numbers (16 bits), VP8 picture ids (15 or 7) and tl0picidx (8).
"""

from bisect import bisect_right
from typing import Final, NamedTuple

MAX_SPANS: Final = 512
"""Each run of drops or switch makes one: at 15 dropped frames a second, half a minute of NACKs."""


class Span(NamedTuple):
    """A run of numbers forwarded with one shift."""

    out: int
    """Extended outgoing number of `first`."""
    source: int
    epoch: int
    """Counts the switches: the same source may come back."""
    first: int
    end: int
    """One past the last number of the run, in the source's extended numbers."""


class SeqMap:
    """Per Consumer. Input is the source's extended numbers, output wraps at `bits`.

    `map`, `drop` and `switch` see packets in the order they are sent; late ones are fine.
    """

    __slots__ = (
        "_closed",
        "_delta",
        "_epoch",
        "_first",
        "_highest",
        "_mask",
        "_next_out",
        "_outs",
        "_started",
        "source",
    )

    def __init__(self, bits: int = 16, first: int = 0) -> None:
        """`first` is the first outgoing number."""
        self._mask = (1 << bits) - 1
        # One cycle up, so that late packets before the first stay positive.
        self._next_out = (first & self._mask) + self._mask + 1
        self._closed: list[Span] = []
        self._outs: list[int] = []
        self._started = False
        self._epoch = 0
        self._delta = 0
        self._first = 0
        self._highest = 0
        self.source = 0
        """Whose numbers are mapped now."""

    def map(self, sequence: int) -> int | None:
        """The outgoing number of a packet to forward; None if it was dropped or is too old."""
        if not self._started:
            self.switch(self.source, sequence)
        if sequence > self._highest:
            self._highest = sequence
        elif sequence < self._first:
            return self._map_late(sequence)
        return (sequence + self._delta) & self._mask

    def shift(self, first: int, last: int) -> int | None:
        """What `map` adds to each of the rising numbers `first..last`; None: map them singly."""
        if not self._started:
            self.switch(self.source, first)
        if first < self._first:
            return None
        if last > self._highest:  # noqa: PLR1730 - `max` takes a thirtieth of all a copy takes
            self._highest = last
        return self._delta

    def drop(self, sequence: int) -> None:
        """A packet is not forwarded: the next one takes its number. Late and repeated: no change.

        Packets that skipped ahead of it are taken to be lost, and keep their numbers.
        """
        if not self._started or sequence <= self._highest:
            return
        self._close(sequence)
        self._first = sequence + 1
        self._delta -= 1
        self._highest = sequence

    def insert(self) -> int:
        """An outgoing number for a packet of our own (padding), after all forwarded so far."""
        out = self.next_out
        if self._started:
            after = max(self._highest + 1, self._first)
            self._close(after)
            self._first, self._highest = after, after - 1
            self._delta += 1
        else:
            self._next_out += 1
        return out & self._mask

    def switch(self, source: int, sequence: int) -> None:
        """From `sequence` of `source` on, continue right after what was forwarded."""
        out = self.next_out
        if self._started:
            self._close(max(self._highest + 1, self._first))
        self.source = source
        self._epoch += 1
        self._started = True
        self._first, self._highest = sequence, sequence - 1
        self._delta = out - sequence

    def unmap(self, out: int) -> tuple[int, int] | None:
        """(source, sequence) of an outgoing number, for a NACK; None when not known any more."""
        if not self._started:
            return None
        newest = self.next_out - 1
        extended = newest - ((newest - out) & self._mask)
        if extended >= self._first + self._delta:
            return self.source, extended - self._delta
        index = bisect_right(self._outs, extended) - 1
        if index < 0:
            return None
        span = self._closed[index]
        sequence = span.first + extended - span.out
        return (span.source, sequence) if sequence < span.end else None

    @property
    def next_out(self) -> int:
        """The extended outgoing number that follows what was forwarded."""
        if not self._started:
            return self._next_out
        return max(self._highest + 1, self._first) + self._delta

    def _close(self, end: int) -> None:
        """End the current run before `end`, and remember it unless it is empty."""
        if end <= self._first:
            return
        out = self._first + self._delta
        self._closed.append(Span(out, self.source, self._epoch, self._first, end))
        self._outs.append(out)
        if len(self._closed) > MAX_SPANS:
            del self._closed[: MAX_SPANS // 4], self._outs[: MAX_SPANS // 4]

    def _map_late(self, sequence: int) -> int | None:
        for span in reversed(self._closed):
            if span.epoch != self._epoch or sequence >= span.end:
                return None
            if sequence >= span.first:
                return (span.out + sequence - span.first) & self._mask
        return None
