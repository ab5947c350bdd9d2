"""What the loop says of a lost socket is what everybody catches."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
import uvloop

from signaling.adapters.redis_client import answering, sending
from signaling.errors import Refused


async def closed_writer() -> asyncio.StreamWriter:
    """Of a connection that has just been lost."""
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    return writer


def test_a_socket_closed_a_moment_ago_is_redis_that_is_away() -> None:
    async def write() -> None:
        writer = await closed_writer()
        with pytest.raises(ConnectionError), sending():
            writer.writelines([b"PING\r\n"])
        with pytest.raises(Refused) as refused, answering():
            writer.writelines([b"PING\r\n"])
        assert refused.value.code == "unavailable"

    uvloop.run(write())
