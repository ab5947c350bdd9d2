"""One live socket of a Device, as the gateway sees it: a namespace of a Socket.IO session."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Literal, Protocol

from signaling.errors import Refused
from signaling.gateway import packets
from signaling.gateway.config import GatewayConfig
from signaling.gateway.link import Link
from signaling.gateway.packets import Packet
from signaling.gateway.socket import Socket
from signaling.ports import Remote

RECONNECT: Final = frozenset({"slow_consumer", "server:drain", "ping timeout", "unavailable"})
"""Reasons after which a client should come back by itself; after all others it is told not to."""


_State = Literal["opening", "ready", "closed"]
_OPENING: Final = "opening"
_READY: Final = "ready"
_CLOSED: Final = "closed"


class Application(Protocol):
    """What is served on a namespace. Calls for one Connection follow each other in this order."""

    async def admit(self, connection: "Connection", auth: dict[str, Any]) -> None:
        """Raises Refused; it becomes CONNECT_ERROR."""

    async def ready(self, connection: "Connection") -> bytes | None:
        """The first frame after CONNECT. What is sent meanwhile follows it. Raises Refused."""

    async def event(self, connection: "Connection", packet: Packet) -> None:
        """One event, strictly after the one before. Must not raise."""

    def gone(self, connection: "Connection") -> None:
        """It is closed; what it asked before may still be carried out. Must not raise."""

    async def left(self, connection: "Connection", reason: str) -> None:
        """Once for every Connection that was admitted. Must not raise."""


class Connection:
    """Handles what one namespace of one socket sends, in order, and writes to it."""

    __slots__ = (
        "_application",
        "_config",
        "_held",
        "_held_bytes",
        "_inbox",
        "_loop",
        "_on_refused",
        "_paused",
        "_reason",
        "_settled",
        "_sleep",
        "_state",
        "_task",
        "cursor",
        "id",
        "identity",
        "namespace",
        "remote",
        "socket",
    )

    def __init__(
        self,
        socket: Socket,
        namespace: bytes,
        remote: Remote,
        application: Application,
        config: GatewayConfig,
        on_refused: Callable[[], None],
    ) -> None:
        # passed in
        self.socket = socket
        self.namespace = namespace
        self.remote = remote
        self.id = remote.connection
        self._application = application
        self._config = config
        self._on_refused = on_refused
        # made here
        self.identity: Any = None
        """Who is calling; set by the application in `admit`."""
        self.cursor: str | None = None
        """Where the client left off; set by the application in `admit`."""
        self._paused = False
        self._state: _State = _OPENING
        self._reason = ""
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._inbox: deque[Packet] = deque()
        self._loop = asyncio.get_running_loop()
        self._sleep: asyncio.Future[None] | None = None
        """What the task waits for when it has nothing to do."""
        self._settled: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None

    # outgoing

    def send(self, frame: bytes, volatile: bool = False, latest: str | None = None) -> None:
        """Send a finished frame; before `ready` it is held, in order. Never waits."""
        if self._state is _READY:
            self.socket.send_frame(frame, volatile, latest)
        elif self._state is _OPENING:
            self._hold(frame, volatile and latest is None)

    def _hold(self, frame: bytes, volatile: bool) -> None:
        if volatile and self._held_bytes > self._config.volatile_mark_bytes:
            self.socket.server.links.dropped += 1
            return
        self._held.append(frame)
        self._held_bytes += len(frame)
        if self._held_bytes > self._config.max_queue_bytes:
            self.socket.end("slow_consumer")

    @property
    def link(self) -> Link | None:
        """Where finished frames may go right away: there is nothing before them any more."""
        return self.socket.link if self._state is _READY else None

    # incoming

    def open(self, auth: dict[str, Any]) -> asyncio.Task[None]:
        """The client's CONNECT: from here on one task does everything, until the end."""
        self._task = self._loop.create_task(self._live(auth))
        return self._task

    def receive(self, packet: Packet) -> None:
        """An event: handled when all before it are."""
        if self._state is _CLOSED:
            return
        self._inbox.append(packet)
        if self._sleep is not None:
            self._wake()
        elif len(self._inbox) >= self._config.max_pending_requests:
            self._paused = True
            self.socket.pause_reading()

    async def settled(self) -> None:
        """Wait until nothing is in flight."""
        if self._sleep is None and not self.done:
            if self._settled is None:
                self._settled = self._loop.create_future()
            await asyncio.shield(self._settled)

    @property
    def waiting(self) -> int:
        """Requests that wait for their turn."""
        return len(self._inbox)

    @property
    def over(self) -> bool:
        """Refused, or gone."""
        return self._state is _CLOSED

    @property
    def done(self) -> bool:
        """Nothing of it runs any more."""
        return self._task is None or self._task.done()

    async def _live(self, auth: dict[str, Any]) -> None:
        try:
            if await self._admitted(auth):
                await self._stay()
        finally:
            self._settle()

    async def _admitted(self, auth: dict[str, Any]) -> bool:
        try:
            await self._application.admit(self, auth)
        except Refused as refused:
            self._refuse(refused)
            return False
        return True

    async def _stay(self) -> None:
        try:
            if self._state is _OPENING:
                self._write(packets.CONNECT, {"sid": self.id})
                await self._make_ready()
            await self._work()
        finally:
            if self._state is not _CLOSED:  # nobody would read what the client sends from now on
                self.socket.end("unavailable")
            await self._application.left(self, self._reason)

    async def _work(self) -> None:
        """One event after the other, until the Connection is closed and its inbox empty."""
        inbox, event = self._inbox, self._application.event
        while True:
            while inbox:
                await event(self, inbox.popleft())
            if self._paused:
                self._paused = False
                self.socket.resume_reading()
            if self._state is _CLOSED:
                return
            if self._settled is not None:
                self._settle()
            self._sleep = self._loop.create_future()
            await self._sleep

    def _wake(self) -> None:
        sleep, self._sleep = self._sleep, None
        if sleep is not None and not sleep.done():
            sleep.set_result(None)

    def _settle(self) -> None:
        settled, self._settled = self._settled, None
        if settled is not None and not settled.done():
            settled.set_result(None)

    async def _make_ready(self) -> None:
        try:
            first = await self._application.ready(self)
        except Refused as refused:
            self.close(refused.code)
            return
        if self._state is not _OPENING:
            return
        self._state = _READY
        if first is not None:
            self.socket.send_frame(first)
        for frame in self._held:
            self.socket.send_frame(frame)
        self._held.clear()

    # the end

    def close(self, reason: str) -> None:
        """End the socket from this side; requests that have not begun are dropped."""
        self._inbox.clear()
        if reason in RECONNECT:
            self.socket.end(reason)
        elif self._state is not _CLOSED:
            self._write(packets.DISCONNECT)
            self.closed(reason)
            self.socket.finish(reason)

    def closed(self, reason: str) -> None:
        """The socket or the namespace is gone. What it asked before is still carried out."""
        if self._state is _CLOSED:
            return
        self._state, self._reason = _CLOSED, reason
        self._held.clear()
        self._application.gone(self)
        self._wake()

    def _refuse(self, refused: Refused) -> None:
        if self._state is not _OPENING:
            return  # it has left meanwhile, and may be connecting again
        data = {"code": refused.code, "message": refused.message}
        self._write(packets.CONNECT_ERROR, {"message": refused.message, "data": data})
        self._state = _CLOSED
        self._on_refused()

    def _write(self, type_: int, data: Any = None) -> None:
        self.socket.send_frame(packets.control(type_, self.namespace, data))
