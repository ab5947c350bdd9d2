"""One UDP socket per process: drained in batches, answered in batches.

`UdpPort` calls its receiver once per batch with the number of datagrams that lie in `ingress`,
and flushes `egress` once per wake-up.
"""

import asyncio
import errno
import socket
from collections.abc import Callable
from typing import Final, Protocol

from media.drops import Drops
from media.net import udp_linux, udp_plain
from media.net.arena import Arena
from media.net.egress import EGRESS_SLOTS, Destination, Egress, Sender

BATCH: Final = 64
MAX_BATCHES: Final = 4
"""Batches read per wake-up, so that the loop's other work gets its turn."""
SOCKET_BUFFER_BYTES: Final = 4 * 1024 * 1024
_TRANSIENT: Final = frozenset(
    (errno.EAGAIN, errno.EWOULDBLOCK, errno.EINTR, errno.ECONNREFUSED, errno.ENOBUFS, errno.ENOMEM)
)


class Receiver(Protocol):
    """The receiving system calls of one platform."""

    lengths: memoryview
    """Bytes of the datagram in each slot."""

    def receive(self) -> int:
        """How many datagrams now lie in slots 0..; raises OSError."""

    def align(self, now: float, unix_now: float) -> None:
        """Before `arrived_at`: the caller's clock and the system's, read together."""

    def arrived_at(self, slot: int, now: float) -> float:
        """When the datagram arrived, by the caller's clock."""

    def address(self, slot: int) -> bytes:
        """The sender's sockaddr."""

    def truncated(self, slot: int) -> bool:
        """Whether the datagram did not fit its slot."""


def open_socket(host: str, port: int) -> socket.socket:
    """A bound, non-blocking UDP socket. "" or "::" takes IPv6 and IPv4 where the system can.

    Raises OSError when the address cannot be bound.
    """
    if host in ("", "::"):
        try:
            return _open(socket.AF_INET6, "::", port)
        except OSError as error:
            if error.errno == errno.EADDRINUSE or host == "::":
                raise
            return _open(socket.AF_INET, "0.0.0.0", port)  # noqa: S104
    return _open(socket.AF_INET6 if ":" in host else socket.AF_INET, host, port)


def _open(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER_BYTES)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER_BYTES)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock


class UdpPort:
    """The socket, its arenas, and the loop's callbacks. `close` gives everything back."""

    def __init__(
        self,
        sock: socket.socket,
        drops: Drops,
        on_batch: Callable[[int], None],
        *,
        batched: bool = True,
    ) -> None:
        # passed in
        self.socket = sock
        self._on_batch = on_batch
        # made here
        self.family = sock.family
        self.ingress = Arena(BATCH)
        arena = Arena(EGRESS_SLOTS)
        sender: Sender
        self.receiver: Receiver
        if batched and udp_linux.supported():
            self.receiver = udp_linux.LinuxReceiver(sock, self.ingress)
            sender = udp_linux.LinuxSender(sock.fileno(), arena)
        else:
            self.receiver = udp_plain.PlainReceiver(sock, self.ingress)
            sender = udp_plain.PlainSender(sock, arena)
        self.egress = Egress(arena, sender, drops, self._wait_writable)
        self._loop = asyncio.get_running_loop()
        self._flushing: asyncio.Handle | None = None
        self._closed = False
        self.receive_errors = 0
        self._loop.add_reader(sock.fileno(), self._readable)

    @property
    def port(self) -> int:
        """The bound port."""
        return int(self.socket.getsockname()[1])

    def _readable(self) -> None:
        """Drain up to MAX_BATCHES, then flush what the batches produced."""
        receive, on_batch = self.receiver.receive, self._on_batch
        for _ in range(MAX_BATCHES):
            try:
                count = receive()
            except OSError as error:
                if error.errno not in _TRANSIENT:
                    self.receive_errors += 1
                break
            on_batch(count)
            if count < BATCH or self._closed:
                break
        if not self._closed:
            self.egress.flush()

    def send(self, destination: Destination, datagram: bytes) -> None:
        """Queue a datagram; it leaves at the end of this turn of the loop at the latest."""
        if self._closed:
            return
        self.egress.put(destination, datagram)
        self.flush_soon()

    def flush_soon(self) -> None:
        """Flush at the next turn of the loop."""
        if self._flushing is None and not self._closed:
            self._flushing = self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = None
        if not self._closed:
            self.egress.flush()

    def _wait_writable(self) -> None:
        self._loop.add_writer(self.socket.fileno(), self._writable)

    def _writable(self) -> None:
        if self.egress.drain_backlog():
            self._loop.remove_writer(self.socket.fileno())

    def close(self) -> None:
        """Flush and close the socket; a second call does nothing."""
        if self._closed:
            return
        self.egress.flush()
        self._closed = True
        if self._flushing is not None:
            self._flushing.cancel()
        self._loop.remove_reader(self.socket.fileno())
        self._loop.remove_writer(self.socket.fileno())
        self.socket.close()
