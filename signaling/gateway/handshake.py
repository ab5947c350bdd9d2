"""The way from an HTTP request of aiohttp to a `Link`. The only code that knows aiohttp's inside.

aiohttp keeps a task, a request and two parsers alive per WebSocket (13 KB) and wakes a task per
message. After the handshake none of it is needed, so the transport is taken over.
"""

import base64
import binascii
import hashlib

from aiohttp import web

from signaling.gateway.config import GatewayConfig
from signaling.gateway.link import Link, LinkOwner, Links

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3


def accepts(request: web.Request) -> bool:
    """Whether the request is a whole WebSocket handshake (RFC 6455, section 4.2.1)."""
    headers = request.headers
    try:
        key = base64.b64decode(headers.get("Sec-WebSocket-Key", ""), validate=True)
    except (binascii.Error, ValueError):
        return False
    return (
        request.method == "GET"
        and headers.get("Upgrade", "").strip().lower() == "websocket"
        and "upgrade" in headers.get("Connection", "").lower()
        and headers.get("Sec-WebSocket-Version") == "13"
        and len(key) == 16
    )


def take_over(
    request: web.Request, owner: LinkOwner, config: GatewayConfig, registry: Links
) -> Link | None:
    """Answer the handshake and move the transport from aiohttp to a new Link.

    The Link stays in `registry` until its transport is closed; it delivers from `begin` on. None
    when the peer is gone already. The request's handler then returns `gone()`.
    """
    handler = request.protocol
    transport = handler.transport
    if transport is None or transport.is_closing():
        return None
    link = Link(transport, owner, config, registry)
    link.early = handler._message_tail
    transport.write(_switching(request.headers["Sec-WebSocket-Key"]))
    transport.set_protocol(link)
    # For aiohttp the connection is over: it lets go of the request, its tasks and parsers. Without
    # a transport it has nothing to close.
    handler.transport = None
    handler.connection_lost(None)
    return link


def leave_unread(request: web.Request) -> None:
    """Have the connection closed after the answer, and no more of the body read before that."""
    request.protocol._lingering_time = 0.0


def gone() -> web.Response:
    """What a handler returns after `take_over`: aiohttp finds no transport to write it to."""
    return web.Response(status=101)


def _switching(key: str) -> bytes:
    accept = base64.b64encode(hashlib.sha1(key.strip().encode() + _GUID).digest())  # noqa: S324
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )
