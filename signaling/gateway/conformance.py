"""The peer that Socket.IO's and Engine.IO's own protocol suites are written against.

`python -m signaling.gateway.conformance --port 3000` serves `/socket.io/` (namespaces `/` and
`/custom`) and an echo on `/engine.io/`, with the short times those suites expect.
"""

import argparse
import asyncio
from dataclasses import replace
from typing import Any

from aiohttp import web

from signaling.gateway import frames, packets
from signaling.gateway.config import GatewayConfig
from signaling.gateway.connection import Connection
from signaling.gateway.engine import Engine
from signaling.gateway.packets import Packet
from signaling.gateway.server import Server
from signaling.gateway.socket import Socket

CONFIG = GatewayConfig(
    ping_interval_ms=300,
    ping_timeout_ms=200,
    max_packet_bytes=1_000_000,
    connect_timeout_ms=1_000,
    origins=("*",),
)
TIMES = ("ping_interval_ms", "ping_timeout_ms", "connect_timeout_ms")
BEAT_S = 0.02


class Echo:
    """Emits `auth` with the handshake's auth; answers `message` and `message-with-ack`."""

    async def admit(self, connection: Connection, auth: dict[str, Any]) -> None:
        """Everyone may come."""
        connection.identity = auth

    async def ready(self, connection: Connection) -> bytes:
        """`auth`, with what the client sent in CONNECT.

        A beat later: clients that take one message per wake-up would lose the second of one read.
        """
        await asyncio.sleep(BEAT_S)
        data = ["auth", connection.identity]
        return packets.frames(packets.EVENT, connection.namespace, None, data)[0]

    async def event(self, connection: Connection, packet: Packet) -> None:
        """`message` comes back as `message-back`; `message-with-ack` is acked alike."""
        name, *arguments = packet.data
        space = connection.namespace
        answer: list[bytes] = []
        if name == "message":
            answer = packets.frames(packets.EVENT, space, None, ["message-back", *arguments])
        elif name == "message-with-ack" and packet.ack is not None:
            answer = packets.frames(packets.ACK, space, packet.ack, arguments)
        for frame in answer:
            connection.send(frame)

    def gone(self, connection: Connection) -> None:
        """Nothing to clean up."""

    async def left(self, connection: Connection, reason: str) -> None:
        """Nothing to clean up."""


class EngineEcho:
    """Engine.IO alone: every message comes back."""

    def opened(self, socket: Socket, request: web.Request) -> None:
        """Nothing to prepare."""

    def received(self, socket: Socket, opcode: int, payload: bytes) -> None:
        """The same message, text or binary."""
        socket.send_frame(frames.build(opcode, payload))

    def closed(self, socket: Socket, reason: str) -> None:
        """Nothing to clean up."""


def make_app(config: GatewayConfig = CONFIG) -> web.Application:
    """Both echoes on one aiohttp application."""
    app = web.Application()
    echo = Echo()
    Server(config, {"/": echo, "/custom": echo}).eio.attach(app, "socket.io")
    engine = Engine(config)
    engine.listener = EngineEcho()
    engine.attach(app, "engine.io")
    return app


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="localhost", help="every address of it is listened on")
    parser.add_argument("--port", type=int, default=3000)
    for name in TIMES:
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(option, type=int, default=getattr(CONFIG, name))
    options = parser.parse_args()
    times = {name: getattr(options, name) for name in TIMES}
    web.run_app(
        make_app(replace(CONFIG, **times)),
        host=options.host,
        port=options.port,
        access_log=None,
        handler_cancellation=True,
    )


if __name__ == "__main__":
    main()
