"""The load of the Socket.IO benchmark: raw clients that count bytes, alike for any server."""

import asyncio
import json
import socket
import time
from typing import Any, cast

HANDSHAKE = (
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
PATIENCE_S = 60.0


def frame(text: str) -> bytes:
    """A client's text frame; the mask is zero, so nothing has to be computed."""
    payload = text.encode()
    size = len(payload)
    head = bytes((0x81, 0x80 | size)) if size < 126 else b"\x81\xfe" + size.to_bytes(2, "big")
    return head + bytes(4) + payload


def server_frame_bytes(text: str) -> int:
    """How long the same text is when a server sends it."""
    return len(text.encode()) + (2 if len(text.encode()) < 126 else 4)


class Client(asyncio.Protocol):
    """One raw client: joins, then counts bytes or answers with the next request."""

    def __init__(self, room: str, ready: asyncio.Future[None]) -> None:
        self.room = room
        self.ready = ready
        self.transport: asyncio.Transport
        self.buffer = b""
        self.received = 0
        self.loop_frame = b""
        self.answer_bytes = 0
        self.round_trips = 0
        self.on_data: Any = None
        self.stage = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(HANDSHAKE)

    def data_received(self, data: bytes) -> None:
        if self.stage == 2:
            self.received += len(data)
            if self.on_data is not None:
                self.on_data(self)
            elif self.answer_bytes and self.received >= self.answer_bytes:
                self.received -= self.answer_bytes
                self.round_trips += 1
                self.transport.write(self.loop_frame)
            return
        self.buffer += data
        if self.stage == 0 and b'"maxPayload"' in self.buffer:
            self.stage = 1
            auth = json.dumps({"token": "user", "room": self.room})
            self.transport.write(frame("40" + auth))
        if self.stage == 1 and b'"session:ready"' in self.buffer and self.buffer[-1:] == b"]":
            self.stage = 2
            self.buffer = b""
            if not self.ready.done():
                self.ready.set_result(None)

    async def until(self, received: int) -> None:
        """Wait until so many bytes have come."""
        reached = asyncio.get_running_loop().create_future()

        def look(client: Client) -> None:
            if client.received >= received and not reached.done():
                reached.set_result(None)

        self.on_data = look
        look(self)
        await reached
        self.on_data = None

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ready.done():
            self.ready.set_exception(exc or ConnectionError("closed before ready"))


async def join(port: int, room: str, receive_bytes: int = 0) -> Client:
    """One client past `session:ready`; `receive_bytes` is its kernel buffer, 0 the usual one."""
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    connection = socket.socket()
    connection.setblocking(False)
    if receive_bytes:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    await loop.sock_connect(connection, ("127.0.0.1", port))
    _, client = await loop.create_connection(lambda: Client(room, ready), sock=connection)
    await asyncio.wait_for(ready, PATIENCE_S)
    return client


async def join_deaf(port: int, room: str) -> Client:
    """One client that reads nothing from now on."""
    client = await join(port, room, receive_bytes=4096)
    client.transport.pause_reading()
    return client


async def fill(port: int, room: str, size_bytes: int, reading: list[Client]) -> None:
    """Send so much to a room; return when those who read it have it all."""
    count = -(-size_bytes // LONG_FAN.delivery_bytes)
    for client in reading:
        client.received, client.on_data = 0, None
    sender = await join(port, room)
    for _ in range(count):
        sender.transport.write(LONG_FAN.frame)
    due = count * LONG_FAN.delivery_bytes
    for client in reading:
        await asyncio.wait_for(client.until(due), PATIENCE_S)
    leave([sender])


async def join_many(port: int, room: str, count: int) -> list[Client]:
    """`count` clients, fifty at a time."""
    clients: list[Client] = []
    while len(clients) < count:
        batch = min(50, count - len(clients))
        clients += await asyncio.gather(*(join(port, room) for _ in range(batch)))
    return clients


def leave(clients: list[Client]) -> None:
    """Close without ceremony."""
    for client in clients:
        client.transport.abort()


class Fan:
    """A request that the server sends on to the room, and what each member then receives."""

    def __init__(self, text_chars: int) -> None:
        payload = {
            "conversation": "c" * 36,
            "seq": 123456,
            "id": "m" * 36,
            "text": "x" * text_chars,
        }
        self.frame = frame("42" + json.dumps(["fan", payload], separators=(",", ":")))
        delivery = "42" + json.dumps(["m", payload], separators=(",", ":"))
        self.delivery_bytes = server_frame_bytes(delivery)


FAN = Fan(80)
LONG_FAN = Fan(2000)


async def fan_out(clients: list[Client], seconds: float, window: int) -> int:
    """Keep `window` messages in flight to the room; how many deliveries came."""
    size = len(clients)
    done = asyncio.get_running_loop().create_future()
    state = {"sent": 0, "bytes": 0, "base": 0}
    end = time.perf_counter() + seconds
    sender = clients[0].transport

    def received(client: Client) -> None:
        state["bytes"] += client.received
        client.received = 0
        delivered = state["bytes"] // (FAN.delivery_bytes * size)
        while state["sent"] < delivered + window and time.perf_counter() < end:
            state["sent"] += 1
            sender.write(FAN.frame)
        if state["bytes"] >= state["sent"] * size * FAN.delivery_bytes and not done.done():
            done.set_result(None)

    for client in clients:
        client.received = 0
        client.on_data = received
    for _ in range(window):
        sender.write(FAN.frame)
    state["sent"] = window
    await asyncio.wait_for(done, seconds + PATIENCE_S)
    for client in clients:
        client.on_data = None
    return state["sent"] * size


async def round_trips(clients: list[Client], seconds: float) -> int:
    """Every client has one request in flight; how many acks came."""
    payload = {"text": "hello", "n": 1}
    request = frame("421" + json.dumps(["echo", payload], separators=(",", ":")))
    answer = "431" + json.dumps([{"ok": True, "echo": payload}], separators=(",", ":"))
    for client in clients:
        client.received, client.round_trips = 0, 0
        client.loop_frame, client.answer_bytes = request, server_frame_bytes(answer)
        client.transport.write(request)
    await asyncio.sleep(seconds)
    for client in clients:
        client.loop_frame = b""
    await asyncio.sleep(0.1)
    return sum(client.round_trips for client in clients)


def p99(values: list[float]) -> float:
    """The value that one in a hundred exceeds."""
    return sorted(values)[int(len(values) * 0.99)]


async def latencies(
    clients: list[Client], seconds: float, messages_per_s: int, fan: Fan = FAN
) -> list[float]:
    """Offer messages at a rate; milliseconds from the send to each delivery."""
    sent_at: list[float] = []
    seen: list[float] = []

    def received(client: Client) -> None:
        now = time.perf_counter()
        before = client.round_trips
        client.round_trips = client.received // fan.delivery_bytes
        seen.extend((now - at) * 1000 for at in sent_at[before : client.round_trips])

    for client in clients:
        client.received = client.round_trips = 0
        client.on_data = received
    start = time.perf_counter()
    for number in range(int(seconds * messages_per_s)):
        delay = start + number / messages_per_s - time.perf_counter()
        if delay > 0:
            await asyncio.sleep(delay)
        sent_at.append(time.perf_counter())
        clients[0].transport.write(fan.frame)
    await asyncio.sleep(0.5)
    for client in clients:
        client.on_data = None
    return seen


async def connects(port: int, seconds: float) -> tuple[int, float]:
    """Fifty at a time join and leave: (how many, in how many seconds)."""
    start = time.perf_counter()
    count = 0

    async def one_after_the_other() -> None:
        nonlocal count
        while time.perf_counter() - start < seconds:
            leave([await join(port, "gate")])
            count += 1

    await asyncio.gather(*(one_after_the_other() for _ in range(50)))
    return count, time.perf_counter() - start
