"""The end of a turn of the loop: what it put into the Links is written."""

import asyncio
from array import array
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from signaling.gateway.ring import ENTRIES, MAX_FRAME_BYTES, Ring

if TYPE_CHECKING:
    from signaling.gateway.link import Link

FLUSHES_PER_TURN: Final = ENTRIES
"""A fan-out to thousands shares the loop with everyone else."""
MIN_RUN: Final = 8
"""So many Links in a row with the same bytes are written by one system call."""


class Flusher:
    """Writes, at the end of a turn of the loop, what its turn put into the Links.

    Several packets for one client then cost one system call, and so does one packet for many
    clients: entering the kernel is most of what a packet costs.
    """

    __slots__ = ("_dirty", "_loop", "_ring", "_scheduled")

    def __init__(self, ring: Ring | None) -> None:
        # passed in
        self._ring = ring
        # made here
        self._dirty: list[Link] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._scheduled = False

    def add(self, link: "Link") -> None:
        """The Link has something to flush."""
        self._dirty.append(link)
        if not self._scheduled:
            self._schedule()

    def spread(self, frame: bytes, names: Iterable[str], links: Mapping[str, "Link"]) -> list[str]:
        """Give one frame to many Links. The names of those without a Link, or too slow, are left.

        What `Link.write` would do, without a call for each: the loop of every fan-out.
        """
        left: list[str] = []
        find, append = links.get, self._dirty.append
        for name in names:
            link = find(name)
            if link is None or link.congested:
                left.append(name)
            elif link.pending is None:
                link.pending = frame
                append(link)
            else:
                link.write(frame)
        if self._dirty and not self._scheduled:
            self._schedule()
        return left

    def close(self) -> None:
        """No more fan-outs; what is still written is written link by link."""
        ring, self._ring = self._ring, None
        if ring is not None:
            ring.close()

    def _schedule(self) -> None:
        self._loop = self._loop or asyncio.get_running_loop()
        self._loop.call_soon(self._flush)
        self._scheduled = True

    def _flush(self) -> None:
        batch = self._dirty[:FLUSHES_PER_TURN]
        del self._dirty[:FLUSHES_PER_TURN]
        try:
            for frame, links in _runs(batch):
                self._write(frame, links)
        except BaseException:  # whatever became of one, the others have their turn
            self._dirty[:0] = [link for link in batch if link.pending is not None]
            raise
        finally:
            self._scheduled = False
            if self._dirty:
                self._schedule()

    def _write(self, frame: bytes, links: "list[Link]") -> None:
        """One frame to some Links, which all have it pending."""
        if self._ring is not None and len(links) >= MIN_RUN and len(frame) <= MAX_FRAME_BYTES:
            links = self._send(self._ring, frame, links)
        for link in links:
            link.flush()

    def _send(self, ring: Ring, frame: bytes, links: "list[Link]") -> "list[Link]":
        """Past the transports that have nothing to write; the Links of the others are left."""
        direct: list[Link] = []
        for link in links:
            if link.pending is not None and link.idle:  # None: it is here twice
                link.pending = None
                direct.append(link)
        try:
            short = ring.send(array("i", [link.descriptor for link in direct]), frame)
        except OSError:  # who got what is not known: they come back and resume
            for link in direct:
                link.abort()
            self.close()
            raise
        for at, taken in short.items():
            direct[at].overflow(frame[max(taken, 0) :])
        return links if len(direct) < len(links) else []


def _runs(batch: "list[Link]") -> "Iterator[tuple[bytes, list[Link]]]":
    """Neighbours with the same bytes pending. Several packets for one Link are joined before."""
    head: bytes | None = None
    tail: list[bytes] = []
    joined = b""
    frame: bytes | None = None
    run: list[Link] = []
    for link in batch:
        if link.more:
            if link.pending is not head or link.more != tail:
                head, tail = link.pending, link.more[:]
                joined = b"".join((head or b"", *tail))
            link.join(joined)
        if link.pending is not frame:
            if frame is not None:
                yield frame, run
            frame, run = link.pending, []
        run.append(link)
    if frame is not None:
        yield frame, run
