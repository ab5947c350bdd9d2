"""Engine.IO v4 over aiohttp: python-engineio's server, on the protocol's letter and bounded.

The only code, with `socket.py`, that knows python-engineio's inside; tests pin what is used of it.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final, Protocol

from aiohttp import web

from signaling.address_key import address_key
from signaling.gateway import frames, handshake
from signaling.gateway.config import GatewayConfig
from signaling.gateway.foreign import engineio
from signaling.gateway.link import Links
from signaling.gateway.origins import allowed, origin_of
from signaling.gateway.socket import PollError, Socket
from signaling.gateway.throttle import Throttle
from signaling.ports import Seats
from signaling.seats import LocalSeats

UNKNOWN_TRANSPORT: Final = 0
UNKNOWN_SID: Final = 1
BAD_METHOD: Final = 2
BAD_REQUEST: Final = 3
FORBIDDEN: Final = 4
UNSUPPORTED_VERSION: Final = 5

_MESSAGES: Final = (
    "Transport unknown",
    "Session ID unknown",
    "Bad handshake method",
    "Bad request",
    "Forbidden",
    "Unsupported protocol version",
)


class Rejected(Exception):
    """A request of Engine.IO answered with `{code, message}`, the codes being Engine.IO's own."""

    def __init__(self, code: int, status: int = 400) -> None:
        super().__init__(_MESSAGES[code])
        self.code = code
        self.status = status


class Listener(Protocol):
    """Who hears what sockets say. Called on the loop, in order; must not wait."""

    def opened(self, socket: Socket, request: web.Request) -> None: ...

    def received(self, socket: Socket, opcode: int, payload: bytes) -> None:
        """A MESSAGE packet; text still begins with its `4`. ValueError closes the socket."""

    def closed(self, socket: Socket, reason: str) -> None:
        """Once per opened socket; nothing follows."""


class Engine(engineio.AsyncServer):  # type: ignore[misc]  # engineio has no types
    """The sessions by sid, and the HTTP endpoint that makes them."""

    def __init__(self, config: GatewayConfig, **options: Any) -> None:
        options.update(
            async_mode="aiohttp",
            ping_interval=config.ping_interval_ms / 1000,
            ping_timeout=config.ping_timeout_ms / 1000,
            max_http_buffer_size=config.max_packet_bytes,
            cors_allowed_origins=self._allowed_origins,
            cors_credentials=False,
            monitor_clients=False,  # every socket has its own timer
        )
        self.config = config
        self.listener: Listener
        self.log = Throttle("signaling.gateway")
        self.addresses: Seats = LocalSeats(config.max_connections_per_address)
        self.accepting = True
        self.links = Links(config)
        super().__init__(**options)

    def attach(self, app: web.Application, engineio_path: str = "engine.io") -> None:
        """Serve on `/<path>/` of an aiohttp application, every method."""
        app.router.add_route("*", f"/{engineio_path.strip('/')}/", self.handle_request)
        app.on_shutdown.append(self._on_shutdown)

    async def aclose(self, reason: str = "server:drain") -> None:
        """End every socket and see its transport closed, by the peer's consent or without."""
        self.accepting = False
        for socket in list(self.sockets.values()):
            socket.end(reason)
        await self.links.aclose()

    async def _on_shutdown(self, _app: web.Application) -> None:
        await self.aclose()

    async def handle_request(self, request: web.Request) -> web.StreamResponse:
        """One HTTP request of a session, or the one that begins it."""
        try:
            return await self._route(request)
        except Rejected as error:
            body = json.dumps({"code": error.code, "message": str(error)}).encode()
            return self._respond(request, body, error.status, "application/json")

    async def _route(self, request: web.Request) -> web.StreamResponse:
        if not self._origin_allowed(request):
            raise Rejected(FORBIDDEN, 403)
        if request.method == "OPTIONS":
            return self._respond(request, b"", 204)
        transport = request.query.get("transport", "")
        if transport not in self.transports:
            raise Rejected(UNKNOWN_TRANSPORT)
        if "j" in request.query:  # JSONP is not part of version 4
            raise Rejected(BAD_REQUEST)
        if (sid := request.query.get("sid")) is None:
            return await self._begin(request, transport)
        socket = self.sockets.get(sid)
        if socket is None:
            raise Rejected(UNKNOWN_SID)
        if transport == "websocket":
            return self._join(request, socket)
        if socket.upgraded:
            raise Rejected(BAD_REQUEST)
        return await self._polling(request, socket)

    # sessions

    async def _begin(self, request: web.Request, transport: str) -> web.StreamResponse:
        if request.query.get("EIO") != "4":
            raise Rejected(UNSUPPORTED_VERSION)
        if request.method != "GET":
            raise Rejected(BAD_METHOD)
        if transport == "websocket" and not handshake.accepts(request):
            raise Rejected(BAD_REQUEST)
        if not self.accepting:
            raise Rejected(FORBIDDEN, 503)
        socket = await self._open(request)
        frame = frames.build(frames.TEXT, b"0" + self._handshake(socket, transport))
        if transport == "websocket":
            return self._begin_link(request, socket, frame)
        socket.connected = True
        socket.heartbeat.begin()
        self.listener.opened(socket, request)
        return self._respond(request, socket.open_frame(frame))

    def _begin_link(self, request: web.Request, socket: Socket, frame: bytes) -> web.StreamResponse:
        joined = handshake.take_over(request, socket, self.config, self.links)
        if joined is None:
            self.forget(socket)
            raise Rejected(BAD_REQUEST)
        self.listener.opened(socket, request)
        socket.open_link(joined, frame)
        socket.heartbeat.begin()
        joined.begin()
        return handshake.gone()

    async def _open(self, request: web.Request) -> Socket:
        address = request.remote or ""
        key = address_key(address)
        if not await self.addresses.take(key):
            self.log.note(f"too many connections from {key}", "refused")
            raise Rejected(FORBIDDEN, 429)
        if not self.accepting:  # any more
            self.addresses.leave(key)
            raise Rejected(FORBIDDEN, 503)
        socket = Socket(self, self.generate_id(), address)
        self.sockets[socket.sid] = socket
        return socket

    def forget(self, socket: Socket) -> None:
        """The socket is closed: its sid means nothing any more."""
        if self.sockets.pop(socket.sid, None) is None:
            return
        self.addresses.leave(address_key(socket.address))

    def refuse(self, socket: Socket, error: ValueError, code: int = frames.CODE_POLICY) -> None:
        """Close a socket that sent something malformed. One line a minute and address."""
        self.note(socket, error)
        socket.end("parse error", code)

    def note(self, socket: Socket, error: ValueError) -> None:
        """Something malformed came: one line a minute and address."""
        self.log.note(f"parse error from {address_key(socket.address)}", "%s", error)

    def _handshake(self, socket: Socket, transport: str) -> bytes:
        upgrades = ["websocket"] if transport == "polling" and self.allow_upgrades else []
        values: Mapping[str, object] = {
            "sid": socket.sid,
            "upgrades": upgrades,
            "pingInterval": self.config.ping_interval_ms,
            "pingTimeout": self.config.ping_timeout_ms,
            "maxPayload": self.config.max_packet_bytes,
        }
        return json.dumps(values, separators=(",", ":")).encode()

    # transports

    def _join(self, request: web.Request, socket: Socket) -> web.StreamResponse:
        """A WebSocket for a polling session: upgrade it, or close the one too many."""
        if not handshake.accepts(request):
            raise Rejected(BAD_REQUEST)
        joined = handshake.take_over(request, socket, self.config, self.links)
        if joined is None:
            raise Rejected(BAD_REQUEST)
        if socket.busy_upgrading or not self.allow_upgrades:
            joined.close(frames.CODE_POLICY, "upgraded already")
        else:
            socket.begin_upgrade(joined)
            joined.begin()
        return handshake.gone()

    async def _polling(self, request: web.Request, socket: Socket) -> web.StreamResponse:
        if request.method == "GET":
            return await self._poll(request, socket)
        if request.method == "POST":
            return await self._post(request, socket)
        raise Rejected(BAD_METHOD)

    async def _poll(self, request: web.Request, socket: Socket) -> web.StreamResponse:
        try:
            payload = await socket.poll()
        except PollError as error:
            self.refuse(socket, error)
            raise Rejected(BAD_REQUEST) from None
        except TimeoutError:
            socket.end("transport error")
            raise Rejected(BAD_REQUEST) from None
        except asyncio.CancelledError:  # the client gave the poll up, where aiohttp tells us
            socket.end("transport error")
            raise
        if request.transport is None:
            # The client gave the poll up: what it took from the queue is lost, so the session is.
            socket.end("transport error")
            raise Rejected(BAD_REQUEST)
        return self._respond(request, payload)

    async def _post(self, request: web.Request, socket: Socket) -> web.StreamResponse:
        if socket.posting:
            self.refuse(socket, PollError("overlapping posts"))
            raise Rejected(BAD_REQUEST)
        socket.posting = True
        try:
            body = await self._body(request)
            await socket.caught_up()
            if socket.closed:
                raise Rejected(UNKNOWN_SID)
            socket.receive_payload(body)
            await socket.held()
        except (TimeoutError, ConnectionError, web.RequestPayloadError):
            socket.end("transport error")
            raise Rejected(BAD_REQUEST) from None
        except ValueError as error:
            self.refuse(socket, error)
            raise Rejected(BAD_REQUEST) from None
        except asyncio.CancelledError:  # given up: nobody knows which of its packets came
            socket.end("transport error")
            raise
        finally:
            socket.posting = False
        return self._respond(request, b"ok", content_type="text/html")

    async def _body(self, request: web.Request) -> bytes:
        if "Content-Encoding" in request.headers:  # what it unfolds to is anybody's guess
            handshake.leave_unread(request)
            raise ValueError("compressed payload")
        limit = self.config.max_packet_bytes
        body = bytearray()
        async with asyncio.timeout(self.config.body_timeout_ms / 1000):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > limit:
                    raise ValueError("payload too big")
        return bytes(body)

    # responses

    def _respond(
        self,
        request: web.Request,
        body: bytes,
        status: int = 200,
        content_type: str = "text/plain",
    ) -> web.Response:
        headers = dict(self._cors_headers(_environ(request)))
        headers["Cache-Control"] = "no-store"
        return web.Response(
            body=body, status=status, headers=headers, content_type=content_type, charset="utf-8"
        )

    def _origin_allowed(self, request: web.Request) -> bool:
        origin = request.headers.get("Origin")
        return origin is None or self._allowed_origins(origin, _environ(request))

    def _allowed_origins(self, origin: str | None, environ: Mapping[str, str]) -> bool:
        here = f"{environ['wsgi.url_scheme']}://{environ.get('HTTP_HOST', '')}"
        own = tuple(origin_of(url) for url in (here, self.config.public_url) if url)
        return allowed(origin, self.config.origins or own)


def _environ(request: web.Request) -> dict[str, str]:
    """The few WSGI names python-engineio's CORS answer reads."""
    environ = {"REQUEST_METHOD": request.method, "wsgi.url_scheme": request.scheme}
    environ["HTTP_HOST"] = request.host
    for name in ("Origin", "Access-Control-Request-Headers"):
        if name in request.headers:
            environ["HTTP_" + name.upper().replace("-", "_")] = request.headers[name]
    return environ
