"""The front of the Socket.IO edge: hooks in, Connections out."""

import asyncio
import random
import secrets
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any

from aiohttp import web

from signaling.errors import Refused
from signaling.gateway import packets
from signaling.gateway.config import GatewayConfig
from signaling.gateway.connection import Connection
from signaling.gateway.deadlines import Deadlines
from signaling.gateway.link import Link
from signaling.gateway.packets import Packet
from signaling.gateway.server import Server
from signaling.gateway.socket import Socket
from signaling.gateway.throttle import Throttle
from signaling.model import Identity
from signaling.ports import Hooks, Remote, Seats
from signaling.seats import LocalSeats

PATH = "socket.io"
WAVES = 20


class Gateway:
    """Serves the default namespace to the clients of a node; implements `ports.Connections`.

    Every Connection is admitted by `Hooks.authenticate`, hears `session:ready` first, and has its
    requests carried out one after the other.
    """

    def __init__(self, config: GatewayConfig, hooks: Hooks) -> None:
        # passed in
        self._config = config
        self._hooks = hooks
        # made here
        self._deadlines = Deadlines(config.request_timeout_ms / 1000)
        self._server = Server(config, {"/": self})
        self._connections: dict[str, Connection] = {}
        self._flusher = self._server.eio.links.flusher
        self._links: dict[str, Link] = {}
        """Of Connections that were sent something by WebSocket: a fan-out looks at nothing else."""
        self._users: Seats = LocalSeats(config.max_connections_per_user)
        self._counts: Counter[str] = Counter()
        self._ends: Counter[str] = Counter()
        self._log = Throttle("signaling.gateway")

    def share(self, seats: Callable[[str, int], Seats]) -> None:
        """Count a user's Connections, and an address's sockets, together with other nodes:
        `seats` makes them by kind and limit.
        """
        config = self._config
        self._users = seats("user", config.max_connections_per_user)
        self._server.eio.addresses = seats("address", config.max_connections_per_address)

    def attach(self, app: web.Application) -> None:
        """Serve on `/socket.io/` of an aiohttp application, and end with it."""
        self._server.eio.attach(app, PATH)
        app.on_shutdown.append(self._on_shutdown)

    # ports.Connections

    def emit(
        self,
        connections: Iterable[str],
        event: str,
        data: Mapping[str, Any],
        *,
        volatile: bool = False,
        latest: str | None = None,
    ) -> None:
        """Send an event to each, encoded once. Unknown ids are passed over. Never waits."""
        frame = packets.event(event, data)
        for name in self._flusher.spread(frame, connections, self._links):
            connection = self._connections.get(name)
            if connection is not None:
                connection.send(frame, volatile, latest)
                if connection.link is not None:
                    self._links[name] = connection.link

    def close(self, connection: str, reason: str) -> None:
        """End one socket. Clients come back by themselves after a reason of `RECONNECT` only."""
        found = self._connections.get(connection)
        if found is not None:
            found.close(reason)

    # the node's view

    @property
    def accepting(self) -> bool:
        """False once draining: not ready for new clients."""
        return self._server.eio.accepting

    def stats(self) -> dict[str, int | dict[str, int]]:
        """Gauges and counters (`_total`)."""
        return {
            "connections": len(self._connections),
            "sockets": len(self._server.eio.sockets),
            "requests_total": self._counts["requests"],
            "refused_total": self._counts["refused"],
            "internal_errors_total": self._counts["internal"],
            "closed_total": dict(self._ends),
            "volatile_dropped_total": self._server.eio.links.dropped,
        }

    async def drain(self) -> None:
        """Send every client elsewhere: tell them when to come back, answer them, close in waves.

        Takes at most `drain_ms` and then `drain_flush_ms`.
        """
        self._server.eio.accepting = False
        low, high = self._config.drain_retry_ms
        for name in list(self._connections):
            self.emit([name], "server:drain", {"retry_after_ms": random.randint(low, high)})  # noqa: S311
        sockets = list(self._server.eio.sockets.values())
        random.shuffle(sockets)
        async with asyncio.TaskGroup() as waves:
            for first in range(min(WAVES, len(sockets))):
                waves.create_task(self._send_off(sockets[first::WAVES]))
                await asyncio.sleep(self._config.drain_ms / 1000 / WAVES)

    async def _send_off(self, sockets: list[Socket]) -> None:
        """End sockets once they have the answers to all they asked; they ask no more meanwhile."""
        for socket in sockets:
            socket.leave()
        waits = [asyncio.ensure_future(socket.session.settled()) for socket in sockets]
        _, late = await asyncio.wait(waits, timeout=self._config.drain_flush_ms / 1000)
        for wait in late:
            wait.cancel()
        for socket in sockets:
            socket.end("server:drain")

    async def aclose(self) -> None:
        """End every socket now and wait for what was in flight."""
        await self._server.eio.aclose()
        await self._server.finish(self._config.request_timeout_ms / 1000)

    async def _on_shutdown(self, _app: web.Application) -> None:
        await self.aclose()

    # connection.Application

    async def admit(self, connection: Connection, auth: dict[str, Any]) -> None:
        """Ask the node who this is. Raises Refused."""
        try:
            who = await self._authenticate(auth, connection.remote)
        except Refused:
            self._counts["refused"] += 1
            raise
        connection.identity, connection.cursor = who, _cursor(auth)
        self._connections[connection.id] = connection

    async def _authenticate(self, auth: dict[str, Any], remote: Remote) -> Identity:
        try:
            who = await self._deadlines.run(self._hooks.authenticate(auth, remote))
        except Refused:
            raise
        except TimeoutError:
            raise Refused("timeout", "authentication took too long") from None
        except Exception as error:  # noqa: BLE001  the edge of the process: logged, answered
            raise self._internal("authenticate", error) from None
        if not await self._users.take(_seat(who)):
            await self._closed(who, "rate_limited")
            raise Refused("rate_limited", "too many connections of this user")
        return who

    async def ready(self, connection: Connection) -> bytes:
        """The frame of `session:ready`. Raises Refused."""
        try:
            opening = self._hooks.opened(connection.identity, connection.cursor)
            payload = await self._deadlines.run(opening)
            return packets.event("session:ready", payload)
        except Refused:
            raise
        except TimeoutError:
            raise Refused("unavailable", "opening took too long") from None
        except Exception as error:  # noqa: BLE001
            raise self._internal("session:ready", error) from None

    async def event(self, connection: Connection, packet: Packet) -> None:
        """One request: carry it out and ack it."""
        self._counts["requests"] += 1
        try:
            answer: dict[str, Any] = {"ok": True, **await self._request(connection, packet)}
            frame = packets.ack(packet.ack, answer) if packet.ack is not None else None
        except Refused as refused:
            self._counts["refused"] += 1
            frame = _error(packet, refused)
        except TimeoutError:
            frame = _error(packet, Refused("timeout", "the request took too long"))
        except Exception as error:  # noqa: BLE001
            frame = _error(packet, self._internal(str(packet.data[0]), error))
        if frame is not None:
            connection.send(frame)

    def _request(
        self, connection: Connection, packet: Packet
    ) -> Coroutine[Any, Any, dict[str, Any]]:
        data = packet.data
        if packet.type != packets.EVENT or len(data) > 2 or type(data[0]) is not str:
            raise Refused("bad_request", "an event takes one JSON object")
        payload = data[1] if len(data) == 2 else {}
        step = self._hooks.request(connection.identity, data[0], payload)
        return self._deadlines.run(step)

    def gone(self, connection: Connection) -> None:
        """Nothing is sent to it any more."""
        self._links.pop(connection.id, None)

    async def left(self, connection: Connection, reason: str) -> None:
        """The Connection is gone."""
        self._connections.pop(connection.id, None)
        self._ends[reason] += 1
        who = connection.identity
        self._users.leave(_seat(who))
        await self._closed(who, reason)

    async def _closed(self, who: Identity, reason: str) -> None:
        try:
            await self._deadlines.run(self._hooks.closed(who, reason))
        except Exception as error:  # noqa: BLE001
            self._internal("closed", error)

    def _internal(self, where: str, error: Exception) -> Refused:
        """Log what nobody expected, with an id that the client is told too."""
        self._counts["internal"] += 1
        name = secrets.token_hex(4)
        kind = f"{where[:64]} {type(error).__name__}"
        self._log.failure(kind, error, "internal error %s", name)
        return Refused("internal", f"internal error {name}")


def _seat(who: Identity) -> str:
    return f"{who.app}:{who.user}"


def _cursor(auth: Mapping[str, Any]) -> str | None:
    cursor = auth.get("cursor")
    return cursor if isinstance(cursor, str) else None


def _error(packet: Packet, refused: Refused) -> bytes | None:
    if packet.ack is None:
        return None
    return packets.ack(packet.ack, {"ok": False, "error": refused.to_wire()})
