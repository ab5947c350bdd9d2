"""One WebSocket on a transport that is all its own.

Frames go from the transport to `FrameReader` and finished frames to the transport, whose buffer is
the outgoing queue.
"""

import asyncio
import contextlib
import socket
from typing import Protocol

from signaling.gateway import frames
from signaling.gateway.config import GatewayConfig
from signaling.gateway.flusher import Flusher
from signaling.gateway.ring import Ring

LINGER_S = 5.0
"""For the peer to read what is left and answer a close frame, before the transport is cut."""
BROKEN_S = 0.5
"""For the rest of what the peer was sending when it broke the protocol."""
MAX_PENDING_BYTES = 32 * 1024
"""Written within one turn of the loop before it is flushed early."""
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


class Link(asyncio.Protocol):
    """The server's end of one WebSocket."""

    __slots__ = (
        "_broken",
        "_closing",
        "_flusher",
        "_linger",
        "_max_queue_bytes",
        "_more_bytes",
        "_reader",
        "_registry",
        "_transport",
        "congested",
        "descriptor",
        "early",
        "more",
        "owner",
        "pending",
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
        self.pending: bytes | None = None
        """What this turn of the loop wrote: nearly always one frame, held without a list."""
        self.more: list[bytes] = []
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
        self.descriptor = _descriptor(transport)
        """Of the socket, to send past the transport; -1 where there is TLS between them."""
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
        if self.pending is None:
            self.pending = frame
            self._flusher.add(self)
            return True
        self.more.append(frame)
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
        if self.more:
            self.join(b"".join((self.pending or b"", *self.more)))
        if (pending := self.pending) is not None:
            self.pending = None
            self._transport.write(pending)

    def join(self, joined: bytes) -> None:
        """Make one of the frames that this turn wrote."""
        self.pending = joined
        self.more.clear()
        self._more_bytes = 0

    def overflow(self, rest: bytes) -> None:
        """What was sent past the transport and did not go."""
        self._transport.write(rest)

    @property
    def idle(self) -> bool:
        """Nothing waits in the transport, and what is sent past it is in order."""
        transport = self._transport
        return (
            self.descriptor >= 0
            and not transport.get_write_buffer_size()
            and not transport.is_closing()
        )

    @property
    def queued_bytes(self) -> int:
        """What the peer has not taken yet."""
        pending = len(self.pending or b"") + self._more_bytes
        return pending + self._transport.get_write_buffer_size()

    def _forget(self) -> None:
        self.pending = None
        self.more.clear()
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

    def __init__(self, config: GatewayConfig) -> None:
        self.flusher = Flusher(Ring.open() if config.io_uring else None)
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
        self.flusher.close()
        for link in list(self._open):
            link.abort()
        await asyncio.sleep(0)  # connection_lost comes with the next turn of the loop


def _descriptor(transport: asyncio.Transport) -> int:
    if transport.get_extra_info("sslcontext") is not None:
        return -1
    descriptor: int = transport.get_extra_info("socket").fileno()
    return descriptor


def _bound_unsent(transport: asyncio.Transport) -> None:
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
