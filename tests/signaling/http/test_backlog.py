"""Everybody comes at once, while the server is busy with something else."""

import contextlib
import selectors
import socket
from pathlib import Path

from aiohttp import web

from tests.conftest import required
from tests.signaling.http.conftest import Serving
from tests.signaling.http.test_slow import hello, port_of

CROWD = 600
ALLOWED = Path("/proc/sys/net/core/somaxconn")


async def test_a_crowd_finds_room_while_nobody_is_accepted(serving: Serving) -> None:
    if not _allowed():
        required("the kernel allows no backlog of that size")
    client = await serving([web.get("/who", hello)])
    _connect(port_of(client))
    async with client.get("/who") as response:  # behind the crowd: all have been accepted
        assert response.status == 200


def _allowed() -> bool:
    return ALLOWED.exists() and int(ALLOWED.read_text()) > CROWD


def _connect(port: int) -> None:
    """Nothing here awaits: the loop that would accept them does not turn."""
    with contextlib.ExitStack() as stack:
        waiting = stack.enter_context(selectors.DefaultSelector())
        for _ in range(CROWD):
            one = stack.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
            waiting.register(one, selectors.EVENT_WRITE)
        while waiting.get_map():
            connected = waiting.select(10)
            assert connected, f"{len(waiting.get_map())} found no room"
            for key, _ in connected:
                waiting.unregister(key.fileobj)
