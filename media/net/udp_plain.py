"""recvfrom and sendto, for systems without the batched calls. Same shape as `udp_linux`."""

import socket
from array import array
from typing import Final

from media.net.address import encode, sockaddr_tuple
from media.net.arena import SLOT_BYTES, Arena, counters, ffi
from media.net.egress import Destination

BATCH: Final = 64


class PlainReceiver:
    """Fills an Arena slot by slot."""

    def __init__(self, sock: socket.socket, arena: Arena) -> None:
        self._socket = sock
        self._view = arena.view
        self._addresses = [b""] * BATCH
        self.lengths = memoryview(array("I", [0] * BATCH))

    def receive(self) -> int:
        """How many datagrams now lie in slots 0..; raises OSError (BlockingIOError when none)."""
        count = 0
        while count < BATCH:
            at = count * SLOT_BYTES
            try:
                size, address = self._socket.recvfrom_into(self._view[at : at + SLOT_BYTES])
            except BlockingIOError:
                if count == 0:
                    raise
                break
            self.lengths[count] = size
            self._addresses[count] = encode(self._socket.family, address[0], address[1])
            count += 1
        return count

    def align(self, now: float, unix_now: float) -> None:
        """Nothing to align: arrival times are not known here."""

    def arrived_at(self, slot: int, now: float) -> float:
        """As good as now."""
        return now

    def address(self, slot: int) -> bytes:
        """The sender's sockaddr."""
        return self._addresses[slot]

    def truncated(self, slot: int) -> bool:
        """Whether the datagram filled its slot, so may have been longer."""
        return self.lengths[slot] >= SLOT_BYTES


class PlainSender:
    """Sends an Arena's slots one by one."""

    def __init__(self, sock: socket.socket, arena: Arena) -> None:
        self._socket = sock
        self._view = arena.view
        self._sizes = ffi.new("char[]", 8 * arena.slots)
        self.lengths = memoryview(ffi.buffer(self._sizes)).cast("B").cast("Q")
        self.counters = counters(self._sizes, 0, 8, arena.slots)
        self.segmentation = False
        self._targets: list[Destination | None] = [None] * arena.slots
        self._firsts = [0] * arena.slots

    def message(self, number: int, destination: Destination, first: int, count: int) -> None:
        """Note message `number`; `count` is 1 without segmentation."""
        assert count == 1
        self._targets[number] = destination
        self._firsts[number] = first

    def send(self, start: int, end: int) -> tuple[int, int]:
        """Send messages `start..end`: (messages done, errno of the next one or 0)."""
        for number in range(start, end):
            first, target = self._firsts[number], self._targets[number]
            assert target is not None
            at = first * SLOT_BYTES
            error = self._send(self._view[at : at + self.lengths[first]], target)
            if error:
                return number - start, error
        return end - start, 0

    def send_one(self, datagram: bytes, destination: Destination) -> int:
        """Send one datagram; errno or 0."""
        return self._send(memoryview(datagram), destination)

    def _send(self, data: memoryview, destination: Destination) -> int:
        try:
            self._socket.sendto(data, sockaddr_tuple(destination.raw))
        except OSError as error:
            return error.errno or 5
        return 0
