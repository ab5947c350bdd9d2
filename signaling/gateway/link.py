"""One WebSocket on a transport that is all its own.

Frames go from the transport to `FrameReader` and finished frames to the transport, whose buffer is
the outgoing queue.
"""

import asyncio
import contextlib
import socket
from collections.abc import Iterable, Mapping
from typing import Protocol

from signaling.gateway import frames
from signaling.gateway.config import GatewayConfig

LINGER_S = 5.0
"""For the peer to read what is left and answer a close frame, before the transport is cut."""
BROKEN_S = 0.5
"""For the rest of what the peer was sending when it broke the protocol."""
MAX_PENDING_BYTES = 32 * 1024
"""Written within one turn of the loop before it is flushed early."""
FLUSHES_PER_TURN = 500
"""A fan-out to thousands shares the loop with everyone else."""
MAX_UNREAD_PONGS_BYTES = 4096
MAX_PINGS = 1000
"""WebSocket PINGs that are answered between two heartbeats; browsers send none."""
UNSENT_BYTES = 64 * 1024
"""Not yet sent bytes the kernel takes from us; by itself it takes megabytes before it says no."""


class LinkOwner(Protocol):
    """Who is told what a Link saw. Called on the loop, never after `link_lost`."""

    def link_message(self, link: "Link", opcode: int, payload: bytes) -> None:
        """A whole text or binary message."""

    def link_ready(self, link: "Link") -> None:
        """The peer was too slow, and has caught up."""

    def link_lost(self, link: "Link", reason: str) -> None:
        """The WebSocket ended. Called once, and not after `Link.close` or `Link.abort`."""

    def link_broken(self, link: "Link", error: frames.FrameError) -> None:
        """The peer broke the protocol: nothing it sends can be read any more. Closes the Link."""


class Flusher:
    """Writes, at the end of a turn of the loop, what its turn put into the Links.

    Several packets for one client then cost one system call, which is most of what a packet costs.
    """

    __slots__ = ("_dirty", "_loop", "_scheduled")

    def __init__(self) -> None:
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
            elif link._pending is None:
                link._pending = frame
                append(link)
            else:
                link.write(frame)
        if self._dirty and not self._scheduled:
            self._schedule()
        return left

    def _schedule(self) -> None:
        self._loop = self._loop or asyncio.get_running_loop()
        self._loop.call_soon(self._flush)
        self._scheduled = True

    def _flush(self) -> None:
        batch = iter(self._dirty[:FLUSHES_PER_TURN])
        del self._dirty[:FLUSHES_PER_TURN]
        try:
            for link in batch:
                if link._more:
                    link.flush()
                elif (frame := link._pending) is not None:
                    link._pending = None
                    link._transport.write(frame)
        finally:  # whatever became of one, the others have their turn
            self._dirty[:0] = batch
            self._scheduled = False
            if self._dirty:
                self._schedule()


class Link(asyncio.Protocol):
    """The server's end of one WebSocket."""

    __slots__ = (
        "_broken",
        "_closing",
        "_flusher",
        "_linger",
        "_max_queue_bytes",
        "_more",
        "_more_bytes",
        "_pending",
        "_reader",
        "_registry",
        "_transport",
        "congested",
        "early",
        "owner",
        "pings",
    )

    def __init__(
        self,
        transport: asyncio.Transport,
        owner: LinkOwner,
        config: GatewayConfig,
        registry: "Links",
    ) -> None:
        # passed in
        self.owner: LinkOwner | None = owner
        self._transport = transport
        self._registry = registry
        self._flusher = registry.flusher
        self._max_queue_bytes = config.max_queue_bytes
        # made here
        self._reader = frames.FrameReader(config.max_packet_bytes, config.max_fragments)
        self._pending: bytes | None = None
        """What this turn of the loop wrote: nearly always one frame, held without a list."""
        self._more: list[bytes] = []
        self._more_bytes = 0
        self._closing = False
        self._broken = False
        """What the peer sends is no WebSocket any more."""
        self._linger: asyncio.TimerHandle | None = None
        self.congested = False
        """The transport's buffer is above the mark: the peer reads slower than we write."""
        self.pings = 0
        """Since the owner last set it to 0."""
        self.early = b""
        """Frames the client sent before our answer to its handshake."""
        transport.set_write_buffer_limits(high=config.volatile_mark_bytes)
        _bound_unsent(transport)
        registry.add(self)

    def begin(self) -> None:
        """Deliver what the peer sends; the owner is ready for it."""
        self.resume_reading()
        early, self.early = self.early, b""
        if early:
            self.data_received(early)

    # outgoing

    def write(self, frame: bytes, volatile: bool = False) -> bool:
        """Send a finished frame, in order. False when the peer is too slow to be given more."""
        if self.congested:
            return self._write_slowly(frame, volatile)
        if self._pending is None:
            self._pending = frame
            self._flusher.add(self)
            return True
        self._more.append(frame)
        self._more_bytes += len(frame)
        if self._more_bytes > MAX_PENDING_BYTES:
            self.flush()
        return True

    def _write_slowly(self, frame: bytes, volatile: bool) -> bool:
        if volatile:
            self._registry.dropped += 1
            return True
        if self.queued_bytes + len(frame) > self._max_queue_bytes:
            return False
        self.flush()
        self._transport.write(frame)
        return True

    def flush(self) -> None:
        """Hand what this turn wrote to the transport."""
        pending, self._pending = self._pending, None
        if pending is None:
            return
        if self._more:
            pending = b"".join((pending, *self._more))
            self._more.clear()
            self._more_bytes = 0
        self._transport.write(pending)

    @property
    def queued_bytes(self) -> int:
        """What the peer has not taken yet."""
        pending = len(self._pending or b"") + self._more_bytes
        return pending + self._transport.get_write_buffer_size()

    def _forget(self) -> None:
        self._pending = None
        self._more.clear()
        self._more_bytes = 0

    def pause_reading(self) -> None:
        if not self._transport.is_closing() and self._transport.is_reading():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if not self._transport.is_closing() and not self._transport.is_reading():
            self._transport.resume_reading()

    def close(self, code: int = frames.CODE_NORMAL, reason: str = "") -> None:
        """Send a close frame, wait for the peer's own or LINGER_S; the owner hears no more.

        Not the transport at once: unread input would make the kernel reset the connection, and the
        peer would lose what it has not read yet.
        """
        self.owner = None
        if self._closing:
            return
        self._closing = True
        # Also when the transport closes already: it waits for its buffer, and who reads that?
        loop = asyncio.get_running_loop()
        self._linger = loop.call_later(LINGER_S, self._transport.abort)
        if self._transport.is_closing():
            return
        self.flush()
        self._transport.write(frames.build_close(code, reason))
        self.resume_reading()

    def abort(self) -> None:
        """End at once and forget what is queued; the owner hears no more."""
        self._forget()
        self.owner = None
        self._closing = True
        self._transport.abort()

    # asyncio.Protocol

    def data_received(self, data: bytes) -> None:
        if self._broken:
            return
        try:
            messages = self._reader.feed(data)
        except frames.FrameError as error:
            self._break(error)
            return
        if self._closing:
            if any(opcode == frames.CLOSE for opcode, _ in messages):
                self._transport.close()
            return
        for opcode, payload in messages:
            if self.owner is None:
                return
            if opcode <= frames.BINARY:
                self.owner.link_message(self, opcode, payload)
            else:
                self._control(opcode, payload)

    def pause_writing(self) -> None:
        self.congested = True

    def resume_writing(self) -> None:
        self.congested = False
        if self.owner is not None:
            self.owner.link_ready(self)

    def eof_received(self) -> bool:
        self._end()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._closing = True
        self._forget()
        self._registry.discard(self)
        if self._linger is not None:
            self._linger.cancel()
        owner, self.owner = self.owner, None
        if owner is not None:
            owner.link_lost(self, "transport close" if exc is None else "transport error")

    def _control(self, opcode: int, payload: bytes) -> None:
        if opcode == frames.CLOSE:
            self._end()
        elif opcode == frames.PING:
            self.pings += 1
            if self.pings > MAX_PINGS:
                self._break(frames.FrameError(frames.CODE_POLICY, "too many PINGs"))
            elif self.queued_bytes < MAX_UNREAD_PONGS_BYTES:
                self.flush()
                self._transport.write(frames.build(frames.PONG, payload))

    def _end(self) -> None:
        """The peer closed: answer, then tell the owner."""
        owner = self.owner
        self.close()
        self._transport.close()
        if owner is not None:
            owner.link_lost(self, "transport close")

    def _break(self, error: frames.FrameError) -> None:
        """The peer broke the protocol: what it still sends is thrown away, for BROKEN_S.

        Its close frame would not be found in it; but a connection closed before it was read would
        be reset, and the peer would not learn why.
        """
        self._broken = True
        if self.owner is not None:
            self.owner.link_broken(self, error)
        asyncio.get_running_loop().call_later(BROKEN_S, self._transport.close)


class Links:
    """Every WebSocket of a server whose transport is open, also those saying good-bye."""

    def __init__(self) -> None:
        self.flusher = Flusher()
        self.dropped = 0
        """Volatile events that clients were too slow for."""
        self._open: set[Link] = set()
        self._emptied = asyncio.Event()

    def __len__(self) -> int:
        return len(self._open)

    def add(self, link: Link) -> None:
        self._open.add(link)
        self._emptied.clear()

    def discard(self, link: Link) -> None:
        self._open.discard(link)
        if not self._open:
            self._emptied.set()

    async def aclose(self) -> None:
        """Wait for the last to go; cut those that stay longer than LINGER_S."""
        if self._open:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._emptied.wait(), LINGER_S)
        for link in list(self._open):
            link.abort()
        await asyncio.sleep(0)  # connection_lost comes with the next turn of the loop


def _bound_unsent(transport: asyncio.Transport) -> None:
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
