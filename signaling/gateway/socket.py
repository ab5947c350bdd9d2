"""One Engine.IO v4 session: polling, WebSocket, and the way from one to the other.

python-engineio's socket with its queue, its writer and ping tasks taken out: packets go to the
Link at once, or wait in a bounded queue for a poll.
"""

import asyncio
import base64
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from signaling.gateway import frames
from signaling.gateway.foreign import AsyncSocket
from signaling.gateway.heartbeat import Heartbeat
from signaling.gateway.latest import Latest
from signaling.gateway.link import LINGER_S, Link

if TYPE_CHECKING:
    from signaling.gateway.engine import Engine

NOOP_TEXT: Final = b"6"
_CLOSE: Final = frames.build(frames.TEXT, b"1")
_PING: Final = frames.build(frames.TEXT, b"2")
_PROBE: Final = b"2probe"
_PROBED: Final = frames.build(frames.TEXT, b"3probe")
_UPGRADE: Final = b"5"
_PONG: Final = b"3"
_MESSAGE: Final = ord("4")
_SEPARATOR: Final = b"\x1e"
NOOP_DELAY_S: Final = 0.1
"""What a poll waits during an upgrade before it is answered with nothing, as Node has it."""

HOLD_S: Final = 4.0
"""python-engineio's client gives a POST up after 5 s, and the session with it."""
POSTED: Final = 4
"""Times `max_pending_requests`: with more waiting no POST is read, however long its client waits.
"""


class PollError(ValueError):
    """A poll or post that the session does not allow; the session is closed by it."""


class Socket(AsyncSocket):  # type: ignore[misc]  # engineio has no types
    """What Engine.IO calls a socket. Single-threaded; only `poll` waits."""

    def __init__(self, server: "Engine", sid: str, address: str) -> None:
        # The parent's attributes; its constructor would make a queue of 1 KB per socket.
        self.server: Engine = server
        self.sid = sid
        self.connected = False
        self.upgrading = False
        self.upgraded = False
        self.closing = False
        self.closed = False
        self.last_ping: bool | None = None
        self.session: Any = None
        # our own
        self.address = address
        self.heartbeat = Heartbeat(server.config, self._ping, self._silent)
        self._link: Link | None = None
        self._probe: Link | None = None
        self._poll: asyncio.Future[None] | None = None
        self._reading: asyncio.Event | None = None
        self._leaving = False
        self._emptied: asyncio.Event | None = None
        self._last: tuple[str, asyncio.TimerHandle] | None = None
        """Why the session ends once its queue was fetched, and the timer that ends it anyway."""
        self.posting = False
        self._queue: deque[bytes] = deque()
        self.latest = Latest()
        self._queued_bytes = 0
        self._probe_timer: asyncio.TimerHandle | None = None

    # outgoing

    def send_frame(self, frame: bytes, volatile: bool = False, latest: str | None = None) -> None:
        """Send one packet as a finished WebSocket frame, whatever the transport. Never waits.

        With `latest`, to a client that is slow, once it has room: the newest of that name only.
        """
        link = self._link
        if latest is not None and self._congested:
            if not self.latest.keep(latest, frame):
                self.server.links.dropped += 1
        elif link is None:
            self._enqueue(frame, volatile)
        elif not link.write(frame, volatile):
            self.end("slow_consumer")

    @property
    def _congested(self) -> bool:
        if self._link is not None:
            return self._link.congested
        return self._queued_bytes > self.server.config.volatile_mark_bytes

    def _tell_latest(self) -> None:
        """There is room again."""
        for name, frame in self.latest.take().items():
            self.send_frame(frame, latest=name)

    def _enqueue(self, frame: bytes, volatile: bool) -> None:
        if self.closed:
            return
        config = self.server.config
        size = self._queued_bytes + len(frame)
        if volatile and size > config.volatile_mark_bytes:
            self.server.links.dropped += 1
        elif size > config.max_queue_bytes and self._queue:
            self.end("slow_consumer")
        else:
            self._queue.append(frame)
            self._queued_bytes = size
            self._wake()

    @property
    def link(self) -> Link | None:
        """The WebSocket, where there is one and it is open."""
        return self._link

    def _ping(self) -> None:
        if self._link is not None:
            self._link.pings = 0
        self.send_frame(_PING)

    def _silent(self) -> None:
        self.end("ping timeout")

    # incoming

    def receive_packet(self, opcode: int, payload: bytes) -> None:
        """One Engine.IO packet of the current transport. Raises ValueError for a malformed one."""
        if opcode == frames.BINARY or (payload and payload[0] == _MESSAGE):
            self.server.listener.received(self, opcode, payload)
        elif payload == _PONG:
            self.heartbeat.pong()
        elif payload == b"1":
            self._closed_by_client()
        else:
            raise ValueError("not a packet a client may send now")

    def receive_payload(self, body: bytes) -> None:
        """The body of a POST. Raises ValueError for a malformed one."""
        texts = body.split(_SEPARATOR)
        if len(texts) > self.server.config.max_packets_per_post:
            raise ValueError("too many packets")
        body.decode()
        for text in texts:
            if self.closed:
                return
            if text[:1] == b"b":
                self.receive_packet(frames.BINARY, base64.b64decode(text[1:], validate=True))
            else:
                self.receive_packet(frames.TEXT, text)

    async def caught_up(self) -> None:
        """Wait while so much waits that no POST more is read: as long as it gets less. Raises
        TimeoutError when it does not.
        """
        most = POSTED * self.server.config.max_pending_requests
        while self._reading is not None and (self._leaving or self.session.waiting > most):
            before = self.session.waiting
            patience_s = 2 * self.server.config.request_timeout_ms / 1000
            if not await self._reads_again(patience_s) and self.session.waiting >= before:
                raise TimeoutError

    async def held(self) -> None:
        """Keep who sends too much waiting for the answer to a POST: no longer than clients wait."""
        await self._reads_again(HOLD_S)

    async def _reads_again(self, timeout_s: float) -> bool:
        if self._reading is None:
            return True
        try:
            async with asyncio.timeout(timeout_s):
                return await self._reading.wait()
        except TimeoutError:
            return False

    def pause_reading(self) -> None:
        """The Connections behind have enough to do."""
        self.heartbeat.pause()
        if self._link is not None:
            self._link.pause_reading()
        elif self._reading is None:
            self._reading = asyncio.Event()

    def leave(self) -> None:
        """Read no more: what was asked is answered, what comes now is for whoever is next."""
        self._leaving = True
        self.pause_reading()

    def resume_reading(self) -> None:
        if self._leaving and not self.closed:
            return
        self.heartbeat.resume()
        if self._link is not None:
            self._link.resume_reading()
        if self._reading is not None:
            self._reading.set()
            self._reading = None

    # LinkOwner

    def link_message(self, link: Link, opcode: int, payload: bytes) -> None:
        try:
            if link is self._link:
                self.receive_packet(opcode, payload)
            else:
                self._probe_message(link, payload)
        except ValueError as error:
            self.server.refuse(self, error)

    def link_lost(self, link: Link, reason: str) -> None:
        if link is self._link:
            self._link = None
            self._finish(reason)
        else:
            self._drop_probe()

    def link_ready(self, link: Link) -> None:
        if link is self._link:
            self._tell_latest()

    def link_broken(self, link: Link, error: frames.FrameError) -> None:
        if link is self._link:
            self.server.refuse(self, error, error.code)
        else:
            self.server.note(self, error)
            link.close(error.code, "upgrade failed")
            self._drop_probe()

    # polling

    async def poll(self) -> bytes:
        """Wait for the next payload of a GET. Raises PollError for one too many."""
        if self._poll is not None:
            raise PollError("overlapping polls")
        if not self._queue:
            if self._last is not None:
                self.end(self._last[0])
            else:
                await self._wait()
        return self._payload()

    async def _wait(self) -> None:
        self._poll = asyncio.get_running_loop().create_future()
        config = self.server.config
        try:
            if self.upgrading:
                await asyncio.wait([self._poll], timeout=NOOP_DELAY_S)
                return
            # The heartbeat answers or ends every poll in time; this is for a heartbeat that broke.
            timeout_s = 2 * (config.ping_interval_ms + config.ping_timeout_ms) / 1000
            await asyncio.wait_for(self._poll, timeout_s)
        finally:
            self._poll = None

    def _wake(self) -> None:
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(None)

    def _payload(self) -> bytes:
        if not self._queue:
            return NOOP_TEXT
        texts = [_polling_text(frame) for frame in self._queue]
        self._empty()
        return _SEPARATOR.join(texts)

    def _empty(self) -> None:
        self._queue.clear()
        self._queued_bytes = 0
        if self._emptied is not None:
            self._emptied.set()
            self._emptied = None
        self._tell_latest()

    async def fetched(self) -> None:
        """Wait until the next poll has taken what waits for it; a WebSocket needs no waiting."""
        if self._queue and not self.closed:
            self._emptied = self._emptied or asyncio.Event()
            await self._emptied.wait()

    def open_frame(self, frame: bytes) -> bytes:
        """The handshake as the body of the first poll's answer, with what was sent since."""
        self._queue.appendleft(frame)
        return self._payload()

    # upgrade

    def open_link(self, link: Link, frame: bytes) -> None:
        """The session begins on a WebSocket."""
        self._link = link
        self.connected = self.upgraded = True
        link.write(frame)

    def begin_upgrade(self, link: Link) -> None:
        """A second transport of a polling session; it has to prove itself with a probe."""
        self._probe = link
        delay = self.server.config.upgrade_timeout_ms / 1000
        self._probe_timer = asyncio.get_running_loop().call_later(delay, self._drop_probe)

    def _probe_message(self, link: Link, payload: bytes) -> None:
        if payload == _PROBE and not self.upgrading:
            self.upgrading = True
            link.write(_PROBED)
            self._wake()  # the waiting poll ends with a NOOP; the client then stops polling
        elif payload == _UPGRADE and self.upgrading:
            self._upgrade(link)
        else:
            self._drop_probe()

    def _upgrade(self, link: Link) -> None:
        self._stop_probe_timer()
        self._probe, self._link = None, link
        self.upgrading, self.upgraded = False, True
        if self._reading is not None:
            link.pause_reading()
        self._wake()
        written = all(link.write(frame) for frame in self._queue)
        self._empty()
        if not written:
            self.end("slow_consumer")
        elif self._last is not None:
            self.end(self._last[0])

    def _drop_probe(self) -> None:
        self._stop_probe_timer()
        link, self._probe = self._probe, None
        self.upgrading = False
        if link is not None:
            link.close(frames.CODE_POLICY, "upgrade failed")

    def _stop_probe_timer(self) -> None:
        if self._probe_timer is not None:
            self._probe_timer.cancel()
            self._probe_timer = None

    @property
    def busy_upgrading(self) -> bool:
        """Another WebSocket may not join."""
        return self.upgraded or self._probe is not None

    # the end

    def end(self, reason: str, code: int = frames.CODE_NORMAL) -> None:
        """Close from this side. What was sent before still goes out, if the peer reads."""
        link, self._link = self._link, None
        if link is not None:
            if reason == "slow_consumer":
                link.abort()
            else:
                link.close(code, reason)
        elif not self.closed:
            self._queue.append(_CLOSE)
            self._wake()
        self._finish(reason)

    def finish(self, reason: str) -> None:
        """Close from this side, but not before a client that polls has fetched the rest.

        The end comes with the poll after that: clients act on an end before what came with it.
        """
        if self._link is not None or self.closed:
            self.end(reason)
        elif self._last is None:
            timer = asyncio.get_running_loop().call_later(LINGER_S, self.end, reason)
            self._last = (reason, timer)

    def _closed_by_client(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()
        self._empty()
        self._wake()  # the waiting poll ends with a NOOP
        self._finish("client disconnect")

    def _finish(self, reason: str) -> None:
        if self.closed:
            return
        self.closing = self.closed = True
        self.latest.take()
        self.heartbeat.stop()
        self._drop_probe()
        self.resume_reading()
        if self._emptied is not None:
            self._emptied.set()
        if self._last is not None:
            self._last[1].cancel()
        self.server.forget(self)
        self.server.listener.closed(self, reason)


def _polling_text(frame: bytes) -> bytes:
    """A frame as polling carries it: text as it is, binary as `b` and base64."""
    opcode, payload = frames.split(frame)
    if opcode == frames.TEXT:
        return payload
    return b"b" + base64.b64encode(payload)
