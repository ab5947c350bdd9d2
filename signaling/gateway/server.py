"""Socket.IO v5: python-socketio's server, with its packet handling made strict, ordered and quick.

The only code that knows python-socketio's inside; a test pins what is used of it. Rooms, sids and
emits of the parent are not used: who receives what is the node's business.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

from aiohttp import web

from signaling.gateway import frames, packets
from signaling.gateway.config import GatewayConfig
from signaling.gateway.connection import Application, Connection
from signaling.gateway.engine import Engine
from signaling.gateway.foreign import socketio
from signaling.gateway.packets import Packet
from signaling.gateway.socket import Socket
from signaling.ports import Remote

MAX_LEAVING: Final = 4
"""Connections of one socket that it left and whose last requests are still carried out."""


class Server(socketio.AsyncServer):  # type: ignore[misc]  # socketio has no types
    """Applications by namespace, served on an aiohttp application."""

    eio: Engine

    def __init__(self, config: GatewayConfig, applications: Mapping[str, Application]) -> None:
        super().__init__(async_mode="aiohttp", namespaces=list(applications), config=config)
        self.config = config
        self.applications = {name.encode(): served for name, served in applications.items()}
        self.tasks: set[asyncio.Task[None]] = set()
        """One for every Connection that is not done yet, in authentication too."""
        self.eio.listener = self

    def watch(self, task: asyncio.Task[None]) -> None:
        """Know of what a Connection does until it is done, admitted or not."""
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def finish(self, patience_s: float) -> None:
        """Wait for what Connections are doing; end what takes longer, its good-bye included."""
        late = self.tasks
        for cut in (False, True):
            if not late:
                return
            for task in late if cut else ():
                task.cancel()
            _, late = await asyncio.wait(late, timeout=patience_s)

    def _engineio_server_class(self) -> type[Engine]:
        return Engine

    # Listener

    def opened(self, socket: Socket, request: web.Request) -> None:
        """A socket; its CONNECT has to come in time."""
        headers = request.headers
        socket.session = Namespaces(self, socket, headers.get("Origin"), headers.get("User-Agent"))

    def received(self, socket: Socket, opcode: int, payload: bytes) -> None:
        """One MESSAGE packet. Raises ValueError when it is malformed."""
        socket.session.received(opcode, payload)

    def closed(self, socket: Socket, reason: str) -> None:
        """The socket is gone, and every Connection on it."""
        socket.session.closed(reason)


class Namespaces:
    """The Connections of one socket, by namespace."""

    __slots__ = (
        "_connect_by",
        "_connections",
        "_leaving",
        "_origin",
        "_partial",
        "_parts",
        "_parts_bytes",
        "_server",
        "_socket",
        "_timer",
        "_user_agent",
    )

    def __init__(
        self, server: Server, socket: Socket, origin: str | None, user_agent: str | None
    ) -> None:
        # passed in
        self._server = server
        self._socket = socket
        self._origin = origin
        self._user_agent = user_agent
        # made here
        self._connections: dict[bytes, Connection] = {}
        self._leaving: list[Connection] = []
        self._partial: Packet | None = None
        self._parts: list[bytes] = []
        self._parts_bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._connect_by = 0.0
        self._await_connect()

    def received(self, opcode: int, payload: bytes) -> None:
        """One message of the socket. Raises ValueError when it is malformed."""
        if opcode == frames.BINARY:
            self._attachment(payload)
            return
        if self._partial is not None:
            raise ValueError("text where an attachment is due")
        packet = packets.parse(payload, self._server.config, self._connections)
        if packet.attachments:
            self._partial, self._parts, self._parts_bytes = packet, [], len(payload)
        else:
            self._dispatch(packet)

    def closed(self, reason: str) -> None:
        """The socket is gone."""
        self._stop_timer()
        self._partial, self._parts = None, []
        connections, self._connections = self._connections, {}
        for connection in connections.values():
            connection.closed(reason)

    @property
    def waiting(self) -> int:
        """Requests that wait for their turn."""
        return sum(one.waiting for one in (*self._connections.values(), *self._leaving))

    async def settled(self) -> None:
        """Wait until everything asked on this socket is answered and on its way."""
        for connection in list(self._connections.values()):
            await connection.settled()
        await self._socket.fetched()

    def _attachment(self, payload: bytes) -> None:
        packet = self._partial
        if packet is None:
            raise ValueError("an attachment of nothing")
        self._parts.append(payload)
        self._parts_bytes += len(payload)
        if self._parts_bytes > self._server.config.max_packet_bytes:
            raise ValueError("packet too big")
        if len(self._parts) == packet.attachments:
            parts, self._parts, self._partial = self._parts, [], None
            packet.data = packets.fill(packet.data, parts)
            self._dispatch(packet)

    def _dispatch(self, packet: Packet) -> None:
        connection = self._connections.get(packet.namespace)
        if packet.type == packets.CONNECT:
            self._connect(packet, connection)
        elif connection is None:
            return  # a late good-bye, or gone while its attachments came
        elif packet.type in {packets.EVENT, packets.BINARY_EVENT}:
            connection.receive(packet)
        elif packet.type == packets.DISCONNECT:
            del self._connections[packet.namespace]
            connection.closed("client namespace disconnect")
            if not self._connections:
                self._await_connect()
            self._release(connection)

    def _connect(self, packet: Packet, present: Connection | None) -> None:
        if present is not None:
            if not present.over:
                raise ValueError("connected already")
            self._release(present)
        application = self._server.applications.get(packet.namespace)
        if application is None:
            data = {"message": "Invalid namespace"}
            frame = packets.control(packets.CONNECT_ERROR, packet.namespace, data)
            self._socket.send_frame(frame)
            return
        connection = Connection(
            self._socket,
            packet.namespace,
            self._remote(),
            application,
            self._server.config,
            self._refused,
        )
        self._connections[packet.namespace] = connection
        self._stop_timer()  # the client did its part: how long we take is not its fault
        self._server.watch(connection.open(packet.data))

    def _refused(self) -> None:
        """What is left of the connect timeout is for another try; no try makes it longer."""
        if all(connection.over for connection in self._connections.values()):
            self._stop_timer()
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(self._connect_by, self._socket.finish, "connect timeout")

    def _release(self, connection: Connection) -> None:
        """Its task may have much to do yet: leaving and coming again makes no heap of them."""
        self._leaving = [one for one in self._leaving if not one.done]
        if len(self._leaving) >= MAX_LEAVING:
            raise ValueError("too many connects before the last ones ended")
        self._leaving.append(connection)

    def _remote(self) -> Remote:
        return Remote(
            connection=self._server.eio.generate_id(),
            address=self._socket.address,
            origin=self._origin,
            user_agent=self._user_agent,
        )

    def _await_connect(self) -> None:
        """A socket without a Connection lives for the connect timeout only."""
        self._stop_timer()
        loop = asyncio.get_running_loop()
        self._connect_by = loop.time() + self._server.config.connect_timeout_ms / 1000
        self._timer = loop.call_at(self._connect_by, self._socket.end, "connect timeout")

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
