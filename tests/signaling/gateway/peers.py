"""Raw peers: a server on an ephemeral port, HTTP and WebSocket without a Socket.IO library."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from signaling.errors import Refused
from signaling.gateway import Gateway, GatewayConfig
from signaling.gateway.conformance import CONFIG
from signaling.gateway.engine import Engine
from signaling.gateway.socket import Socket
from signaling.model import Grants, Identity
from signaling.ports import Remote

PATIENCE_S = 40.0
NEVER_MS = 100_000
"""Longer than any test is patient."""
TIMES = {
    "ping_interval_ms": NEVER_MS,
    "ping_timeout_ms": NEVER_MS,
    "connect_timeout_ms": NEVER_MS,
    "upgrade_timeout_ms": NEVER_MS,
    "request_timeout_ms": NEVER_MS,
    "body_timeout_ms": NEVER_MS,
    "drain_flush_ms": NEVER_MS,
}
"""A machine that stands still for a while makes nobody late, and no PING comes in between."""
UNHURRIED: GatewayConfig = replace(CONFIG, **TIMES)
"""The protocol suites' peer, for clients that answer no PING."""


def config(**changes: Any) -> GatewayConfig:
    """A gateway that anybody may use, in which only those times pass that a test sets."""
    return replace(GatewayConfig(origins=("*",)), **{**TIMES, **changes})


class Peer:
    """One server's clients: polling requests and WebSockets on one path."""

    def __init__(
        self,
        url: str,
        session: aiohttp.ClientSession,
        path: str,
        app: web.Application | None = None,
        server: "web.Server[web.Request] | None" = None,
    ) -> None:
        self.base = url
        self.url = url + path
        self.session = session
        self._server = server
        routes = app.router.routes() if app is not None else ()
        self._engines: list[Engine] = [route.handler.__self__ for route in routes]  # type: ignore[attr-defined]

    def socket(self, sid: str) -> Socket:
        """The server's side of a session."""
        (found,) = [engine.sockets[sid] for engine in self._engines if sid in engine.sockets]
        return found

    def requesting(self) -> set[web.RequestHandler]:
        """The server's side of every connection that speaks HTTP."""
        assert self._server is not None
        return set(self._server.connections)

    async def polling(self, sid: str) -> "asyncio.Task[tuple[int, str]]":
        """A poll that waits at the server."""
        poll = asyncio.create_task(self.get(sid))
        socket = self.socket(sid)
        await until(lambda: socket._poll is not None)
        return poll

    async def get(self, sid: str | None = None, **query: str) -> tuple[int, str]:
        return await self.request("GET", sid, None, **query)

    async def post(self, sid: str | None, body: str | bytes, **query: str) -> tuple[int, str]:
        return await self.request("POST", sid, body, **query)

    async def request(
        self,
        method: str,
        sid: str | None,
        body: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        **query: str,
    ) -> tuple[int, str]:
        params = {"EIO": "4", "transport": "polling", **query}
        if sid is not None:
            params["sid"] = sid
        params = {key: value for key, value in params.items() if value}
        async with self.session.request(
            method, self.url, params=params, data=body, headers=headers
        ) as response:
            return response.status, await response.text()

    async def open_polling(self) -> str:
        """The sid of a new polling session."""
        _, text = await self.get()
        return str(json.loads(text[1:])["sid"])

    async def joined_polling(self, token: str = "ann") -> tuple[str, str]:
        """A polling session past the first event: (sid, connection)."""
        sid = await self.open_polling()
        await self.post(sid, json.dumps({"token": token}).join(("40", "")))
        received = ""
        while "session:ready" not in received:
            received = (await self.get(sid))[1]
        (ready,) = [one for one in received.split("\x1e") if "session:ready" in one]
        return sid, str(event_of(ready)[1]["connection"])

    async def websocket(
        self, sid: str | None = None, **query: str
    ) -> aiohttp.ClientWebSocketResponse:
        params = {"EIO": "4", "transport": "websocket", **query}
        if sid is not None:
            params["sid"] = sid
        params = {key: value for key, value in params.items() if value}
        return await self.session.ws_connect(self.url, params=params, max_msg_size=0)

    async def opened(self) -> aiohttp.ClientWebSocketResponse:
        """A WebSocket past Engine.IO's handshake."""
        ws = await self.websocket()
        assert (await text(ws)).startswith("0")
        return ws

    async def joined(
        self, auth: dict[str, Any] | None = None
    ) -> tuple[aiohttp.ClientWebSocketResponse, str]:
        """A WebSocket past CONNECT and the first event: (socket, that event)."""
        ws = await self.opened()
        await ws.send_str("40" + (json.dumps(auth) if auth is not None else ""))
        assert (await text(ws)).startswith('40{"sid"')
        return ws, await text(ws)


async def until(condition: Callable[[], object]) -> None:
    """Look again and again."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.005)


async def text(ws: aiohttp.ClientWebSocketResponse) -> str:
    """The next text message that is no PING."""
    while True:
        message = await ws.receive(timeout=PATIENCE_S)
        assert message.type == aiohttp.WSMsgType.TEXT, message
        if message.data != "2":
            return str(message.data)


async def closed(ws: aiohttp.ClientWebSocketResponse) -> tuple[int, str]:
    """Wait for the server's close frame: (code, reason)."""
    while True:
        message = await ws.receive(timeout=PATIENCE_S)
        if message.type == aiohttp.WSMsgType.CLOSE:
            return message.data, message.extra or ""
        if message.type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING}:
            return ws.close_code or 0, ""


@asynccontextmanager
async def serving(
    app: web.Application, path: str = "/socket.io/", cancelling: bool = True
) -> AsyncIterator[Peer]:
    """Served as the product does it: a handler whose client went away is cancelled."""
    runner = web.AppRunner(app, access_log=None, handler_cancellation=cancelling)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        async with aiohttp.ClientSession() as session:
            yield Peer(f"http://127.0.0.1:{port}", session, path, app, runner.server)
    finally:
        await runner.cleanup()


class Desk:
    """Hooks that a test writes the answers of; keeps what it was asked, in order."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, Any]] = []
        self.gates: dict[str, asyncio.Event] = {}
        self.entered: dict[str, asyncio.Event] = {}
        self.remotes: list[Remote] = []
        self.closings: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self.opening: Any = None

    def gate(self, name: str) -> asyncio.Event:
        """Requests `wait {gate}` stay until it is set."""
        self.entered[name] = asyncio.Event()
        return self.gates.setdefault(name, asyncio.Event())

    async def authenticate(self, auth: Mapping[str, Any], remote: Remote) -> Identity:
        self.remotes.append(remote)
        await self._pass("authenticate")
        if "token" not in auth:
            raise Refused("unauthorized", "no token")
        if auth["token"] == "broken":
            raise RuntimeError("a bug of ours")
        return Identity(
            app="app",
            user=str(auth["token"]),
            device=str(auth.get("device", "device")),
            connection=remote.connection,
            name="",
            grants=Grants(),
            expires_at=0,
        )

    async def opened(self, who: Identity, cursor: str | None) -> dict[str, Any]:
        self.seen.append(("opened", cursor))
        if self.opening is not None:
            self.opening(who)
        await self._pass("opened")
        return {"user": who.user, "cursor": cursor, "connection": who.connection}

    async def request(self, who: Identity, event: str, payload: Any) -> dict[str, Any]:
        self.seen.append((event, payload))
        if event == "refuse":
            raise Refused("forbidden", "no", retry_after_ms=7)
        if event == "break":
            raise RuntimeError("a bug of ours")
        if event == "wait":
            await self._pass(payload["gate"])
        return {"echo": payload}

    async def closed(self, who: Identity, reason: str) -> None:
        self.closings.put_nowait((who.connection, reason))

    async def _pass(self, name: str) -> None:
        if name in self.gates:
            self.entered[name].set()
            await self.gates[name].wait()


@asynccontextmanager
async def gateway(
    settings: GatewayConfig | None = None, desk: Desk | None = None, cancelling: bool = True
) -> AsyncIterator[tuple[Gateway, Peer, Desk]]:
    """A Gateway on a Desk, served."""
    desk = desk or Desk()
    served = Gateway(settings or config(), desk)
    app = web.Application()
    served.attach(app)
    async with serving(app, cancelling=cancelling) as peer:
        yield served, peer, desk


def event_of(message: str) -> tuple[str, Any]:
    """Name and data of a text event of the default namespace."""
    assert message.startswith("42"), message
    name, data = json.loads(message[2:])
    return name, data


async def call(
    ws: aiohttp.ClientWebSocketResponse, event: str, payload: Any, number: int = 0
) -> dict[str, Any]:
    """Send a request and give its ack; events before it are passed over."""
    await ws.send_str(f"42{number}" + json.dumps([event, payload]))
    while True:
        message = await text(ws)
        if message.startswith(f"43{number}"):
            return dict(json.loads(message[len(f"43{number}") :])[0])


async def alive(peer: Peer) -> None:
    """The server still serves newcomers."""
    ws, first = await peer.joined({"token": "ann"})
    assert first.startswith("42")
    await ws.close()


HANDSHAKE = (
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


async def raw(
    peer: Peer, *, early: bytes = b"", headers: str = "", query: str = ""
) -> socket.socket:
    """A TCP socket with a WebSocket handshake written to it."""
    address = urlsplit(peer.base)
    connection = socket.create_connection((address.hostname, address.port))
    connection.setblocking(False)
    request = HANDSHAKE.replace(" HTTP", query + " HTTP", 1) + headers + "\r\n"
    await asyncio.get_running_loop().sock_sendall(connection, request.encode() + early)
    return connection


async def until_closed(connection: socket.socket) -> bytes:
    loop, received = asyncio.get_running_loop(), b""
    while chunk := await asyncio.wait_for(loop.sock_recv(connection, 65536), PATIENCE_S):
        received += chunk
    return received


KB = 1024
CONNECT = b'40{"token":"slow"}'


async def non_reader(peer: Peer) -> tuple[socket.socket, str]:
    """A client that joins and then reads nothing: (socket, connection id)."""
    address = urlsplit(peer.base)
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * KB)
    client.connect((address.hostname, address.port))
    client.setblocking(False)
    loop = asyncio.get_running_loop()
    frame = bytes((0x81, 0x80 | len(CONNECT), 0, 0, 0, 0)) + CONNECT
    await loop.sock_sendall(client, HANDSHAKE.encode() + b"\r\n" + frame)
    received = b""
    while b"session:ready" not in received or not received.endswith(b"]"):
        received += await asyncio.wait_for(loop.sock_recv(client, 4 * KB), PATIENCE_S)
    ready = received[received.rindex(b'42["session:ready"') :]
    return client, str(json.loads(ready[2:])[1]["connection"])
