"""A Socket.IO client as small as can be, so that a benchmark measures the server."""

import asyncio
import base64
import json
import os
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any

EventSeen = Callable[[str, Any], None]


def token(url: str, user: str) -> str:
    """A guest token from a server in dev mode."""
    body = json.dumps({"user": user, "name": user}).encode()
    request = urllib.request.Request(  # noqa: S310  its own server
        f"{url}/demo/token", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return str(json.load(answer)["token"])


class Client(asyncio.Protocol):
    """One WebSocket: `request` gives the ack, `on_event` sees events, `ready` is session:ready."""

    def __init__(self, on_event: EventSeen) -> None:
        self._on_event = on_event
        self._buffer = bytearray()
        self._open = False
        self._acks: dict[int, asyncio.Future[Any]] = {}
        self._next = 0
        self._transport: asyncio.Transport | None = None
        loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[dict[str, Any]] = loop.create_future()
        self._auth = ""
        self.closed = False

    @classmethod
    async def connect(cls, url: str, auth: dict[str, Any], on_event: EventSeen) -> "Client":
        """Upgrade, CONNECT, and wait for session:ready."""
        parts = urllib.parse.urlsplit(url)
        loop = asyncio.get_running_loop()
        _, client = await loop.create_connection(
            lambda: cls(on_event), parts.hostname or "", parts.port or 80
        )
        try:
            client._start(parts.netloc, auth)
            await asyncio.wait_for(client.ready, 60)
        except BaseException:
            client.close()
            raise
        return client

    def _start(self, host: str, auth: dict[str, Any]) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        self._auth = "40" + json.dumps(auth)
        assert self._transport is not None
        self._transport.write(
            f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {host}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\n\r\n".encode()
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._open:
            head, found, rest = bytes(self._buffer).partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " not in head:
                raise ConnectionError(head.decode())
            self._open, self._buffer = True, bytearray(rest)
        while (frame := self._frame()) is not None:
            self._text(frame)

    def connection_lost(self, error: Exception | None) -> None:
        self.closed = True
        gone = ConnectionError(f"closed: {error}")
        for future in [self.ready, *self._acks.values()]:
            if not future.done():
                future.set_exception(gone)

    def _frame(self) -> bytes | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        length, start = buffer[1] & 0x7F, 2
        if length >= 126:
            start = 4 if length == 126 else 10
            if len(buffer) < start:
                return None
            length = int.from_bytes(buffer[2:start], "big")
        if len(buffer) < start + length:
            return None
        frame = bytes(buffer[start : start + length])
        opcode = buffer[0] & 0x0F
        del buffer[: start + length]
        return frame if opcode == 1 else b""

    def _text(self, frame: bytes) -> None:
        if frame.startswith(b"43"):
            start = frame.index(b"[")
            future = self._acks.pop(int(frame[2:start]), None)
            if future is not None and not future.done():
                future.set_result(json.loads(frame[start:])[0])
        elif frame.startswith(b"42"):
            event, data = json.loads(frame[2:])
            if event != "session:ready":
                self._on_event(event, data)
            elif not self.ready.done():  # some network repeats
                self.ready.set_result(data)
        elif frame.startswith(b"0"):
            self._send(self._auth)
        elif frame == b"2":
            self._send("3")
        elif frame.startswith(b"44") and not self.ready.done():
            self.ready.set_exception(ConnectionError(frame.decode()))

    def _send(self, text: str) -> None:
        payload = text.encode()
        size = len(payload)
        # The mask of zeros is a mask too, and costs nothing (RFC 6455 section 5.3).
        head = (
            bytes((0x81, 0x80 | size))
            if size < 126
            else b"\x81\xfe" + size.to_bytes(2, "big")
            if size < 65536
            else b"\x81\xff" + size.to_bytes(8, "big")
        )
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(head + b"\0\0\0\0" + payload)

    def ask(self, event: str, data: dict[str, Any]) -> "asyncio.Future[Any]":
        """Send a request; the future gets its ack."""
        self._next += 1
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self.closed:
            future.set_exception(ConnectionError("closed"))
            return future
        self._acks[self._next] = future
        self._send(f"42{self._next}{json.dumps([event, data])}")
        return future

    async def request(self, event: str, data: dict[str, Any]) -> dict[str, Any]:
        """The ack of a request; raises RuntimeError when it was refused."""
        answer: dict[str, Any] = await asyncio.wait_for(self.ask(event, data), 30)
        if not answer.get("ok"):
            raise RuntimeError(f"{event}: {answer}")
        return answer

    def close(self) -> None:
        """Drop the socket."""
        if self._transport is not None:
            self._transport.abort()
