"""The network of the nemesis goes without a word."""

import asyncio
import gc

import pytest

from tests.e2e.meddler import Meddler


async def test_it_cuts_everything_and_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    gc.collect()  # what earlier tests left has its last words now
    caplog.clear()
    served: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()

    def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nhello")
        served.put_nowait(writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    meddler = Meddler(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", seed=1)
    await meddler.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", int(meddler.url.rpartition(":")[2]))
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    far = await served.get()
    assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200")
    await meddler.close()
    assert await reader.read() == b""
    writer.close()
    far.close()
    server.close()
    await server.wait_closed()
    assert not caplog.records
