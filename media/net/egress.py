"""What waits to be sent: an arena of packets grouped into messages, handed to the kernel at once.

The hot path writes packets into consecutive slots and commits them for one destination; equal
sizes to one address become one message, which the kernel splits again (UDP_SEGMENT).
"""

import errno
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Protocol

from media.drops import DropReason, Drops
from media.net.arena import MAX_DATAGRAM_BYTES, SLOT_BYTES, Arena, ffi

EGRESS_SLOTS: Final = 1024
MAX_SEGMENTS: Final = 60
"""The kernel takes 64 (UDP_MAX_SEGMENTS of older ones)."""
MAX_RUN_BYTES: Final = 60_000
"""All segments of a message together stay below an IP datagram's 65 535 bytes."""
MAX_BACKLOG: Final = 2048
"""Datagrams kept while the socket is full; further ones are dropped and counted."""

_FULL = frozenset((errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS))
_NO_SEGMENTATION = frozenset((errno.EIO, errno.EINVAL, errno.ENOPROTOOPT, errno.EOPNOTSUPP))


class Destination:
    """Where a Transport's packets go: a sockaddr kept in C memory."""

    __slots__ = ("memory", "name", "raw", "size")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.memory = ffi.new("char[]", raw)
        self.name = int(ffi.cast("uintptr_t", self.memory))
        self.size = len(raw)


class Sender(Protocol):
    """The system calls of one platform."""

    segmentation: bool
    """Whether one message may carry several packets."""
    lengths: memoryview
    """Bytes of the packet in each slot; written by whoever fills the slot."""
    counters: list[Any]
    """The same as `int *`: what ciphers read and update in place."""

    def message(self, number: int, destination: Destination, first: int, count: int) -> None:
        """Note message `number`: `count` packets from slot `first` on to `destination`."""

    def send(self, start: int, end: int) -> tuple[int, int]:
        """Send messages `start..end`: (messages done, errno of the next one or 0)."""

    def send_one(self, datagram: bytes, destination: Destination) -> int:
        """Send one datagram; errno or 0."""


class Egress:
    """The arena and its messages. `slot` is the next free slot."""

    def __init__(
        self, arena: Arena, sender: Sender, drops: Drops, wait_writable: Callable[[], None]
    ) -> None:
        # passed in
        self.sender = sender
        self.drops = drops
        self._wait_writable = wait_writable
        self.arena = arena
        # for the hot path
        self.slots = arena.slots
        self.view = arena.view
        self.pointers = arena.pointers
        self.starts = arena.starts
        self.lengths = sender.lengths
        self.counters = sender.counters
        self.slot = 0
        # made here
        self._messages = 0
        self._targets: list[Destination | None] = [None] * arena.slots
        self._firsts = [0] * arena.slots
        self._counts = [0] * arena.slots
        self._backlog: deque[tuple[bytes, Destination]] = deque()
        self.sent_packets = 0
        self.sent_bytes = 0

    def room(self, packets: int) -> int:
        """The first of `packets` consecutive free slots; flushes when there are not enough."""
        if self.slot + packets > self.slots:
            self.flush()
        return self.slot

    def commit(self, destination: Destination, end: int) -> None:
        """Slots from `slot` up to `end` are packets for `destination`."""
        first = self.slot
        if end - first == 1:
            self._message(destination, first, 1)
            self.slot = end
            return
        lengths = self.lengths
        most = MAX_SEGMENTS if self.sender.segmentation else 1
        while first < end:
            size = lengths[first]
            last = first + 1
            limit = min(end, first + min(most, MAX_RUN_BYTES // size))
            while last < limit and lengths[last] == size:
                last += 1
            if last < limit and lengths[last] < size:  # only the final segment may be shorter
                last += 1
            self._message(destination, first, last - first)
            first = last
        self.slot = end

    def commit_run(self, destination: Destination, end: int) -> None:
        """Like `commit` for packets of one size, of which the last may be shorter."""
        first, number = self.slot, self._messages
        count = end - first
        if count > 1 and not self.sender.segmentation:
            self.commit(destination, end)
            return
        self._targets[number] = destination
        self._firsts[number] = first
        self._counts[number] = count
        self.sender.message(number, destination, first, count)
        self._messages = number + 1
        self.slot = end

    def _message(self, destination: Destination, first: int, count: int) -> None:
        number = self._messages
        self._targets[number] = destination
        self._firsts[number] = first
        self._counts[number] = count
        self.sender.message(number, destination, first, count)
        self._messages = number + 1

    def put(self, destination: Destination, datagram: bytes) -> None:
        """Queue one ready datagram."""
        size = len(datagram)
        if not 0 < size <= MAX_DATAGRAM_BYTES:
            self.drops.counts[DropReason.TOO_LARGE] += 1
            return
        slot = self.room(1)
        at = slot * SLOT_BYTES
        self.view[at : at + size] = datagram
        self.lengths[slot] = size
        self.commit(destination, slot + 1)

    @property
    def waiting(self) -> bool:
        """Whether a flush has something to do."""
        return self._messages > 0

    def flush(self) -> None:
        """Hand every message to the kernel; what it does not take waits in the backlog."""
        total, at = self._messages, 0
        if self._backlog:
            self._keep(0, total)
            at = total
        while at < total:
            done, error = self.sender.send(at, total)
            self._account(at, at + done)
            at += done
            if at >= total:
                break
            if error in _FULL:
                self._keep(at, total)
                self._wait_writable()
                break
            self._refused(at, error)
            at += 1
        self._messages = 0
        self.slot = 0

    def _account(self, start: int, end: int) -> None:
        if start == end:
            return
        last = end - 1
        first_slot, end_slot = self._firsts[start], self._firsts[last] + self._counts[last]
        self.sent_packets += end_slot - first_slot
        self.sent_bytes += sum(self.lengths[first_slot:end_slot])

    def _refused(self, number: int, error: int) -> None:
        """One message failed for good; a segmented one is tried again packet by packet."""
        target, count = self._targets[number], self._counts[number]
        assert target is not None
        if count == 1:
            self.drops.counts[DropReason.EGRESS_ERROR] += 1
            return
        if error in _NO_SEGMENTATION:
            self.sender.segmentation = False
        for slot in range(self._firsts[number], self._firsts[number] + count):
            if self.sender.send_one(self._datagram(slot), target):
                self.drops.counts[DropReason.EGRESS_ERROR] += 1

    def _datagram(self, slot: int) -> bytes:
        at = slot * SLOT_BYTES
        return bytes(self.view[at : at + self.lengths[slot]])

    def _keep(self, start: int, end: int) -> None:
        for number in range(start, end):
            target = self._targets[number]
            assert target is not None
            first = self._firsts[number]
            for slot in range(first, first + self._counts[number]):
                if len(self._backlog) >= MAX_BACKLOG:
                    self.drops.counts[DropReason.EGRESS_FULL] += 1
                else:
                    self._backlog.append((self._datagram(slot), target))

    def drain_backlog(self) -> bool:
        """Send what waited, as far as the socket takes it; True when nothing is left."""
        while self._backlog:
            datagram, target = self._backlog[0]
            error = self.sender.send_one(datagram, target)
            if error in _FULL:
                return False
            if error:
                self.drops.counts[DropReason.EGRESS_ERROR] += 1
            else:
                self.sent_packets += 1
                self.sent_bytes += len(datagram)
            self._backlog.popleft()
        return True
