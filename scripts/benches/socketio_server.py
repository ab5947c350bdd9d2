"""Our gateway with the least behind it, as the benchmark's counterpart of socketio_peer.mjs."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import uvloop
from aiohttp import web

from signaling.gateway import Gateway, GatewayConfig
from signaling.model import Grants, Identity
from signaling.ports import Remote


class Rooms:
    """Hooks: everyone may come, into the room of their auth; `echo` and `fan`."""

    def __init__(self) -> None:
        self.members: dict[str, dict[str, None]] = defaultdict(dict)
        self.gateway: Gateway

    async def authenticate(self, auth: Mapping[str, Any], remote: Remote) -> Identity:
        """The room travels as the app."""
        return Identity(
            app=auth["room"],
            user=auth["token"],
            device="",
            connection=remote.connection,
            name="",
            grants=Grants(),
            expires_at=0,
        )

    async def opened(self, who: Identity, cursor: str | None) -> dict[str, Any]:
        """Join."""
        self.members[who.app][who.connection] = None
        return {"user": who.user}

    async def request(self, who: Identity, event: str, payload: Any) -> dict[str, Any]:
        """`echo` acks, `fan` emits to the room."""
        if event == "fan":
            self.gateway.emit(self.members[who.app], "m", payload)
            return {}
        return {"echo": payload}

    async def closed(self, who: Identity, reason: str) -> None:
        """Leave."""
        self.members[who.app].pop(who.connection, None)


async def main() -> None:
    """Serve until killed; print the port."""
    rooms = Rooms()
    config = GatewayConfig(
        origins=("*",),
        max_connections_per_address=100_000,
        max_connections_per_user=100_000,
        ping_interval_ms=600_000,  # the load counts bytes and answers no PINGs
    )
    rooms.gateway = Gateway(config, rooms)
    app = web.Application()
    rooms.gateway.attach(app)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=4096).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main())
