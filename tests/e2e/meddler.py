"""A network that repeats and delays: a TCP proxy which knows WebSocket frames (RFC 6455)."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator

REPEATED = 0.3
"""How many of the packets of Socket.IO go twice."""
DELAYED = 0.2
DELAY_MAX_S = 0.05


class Meddler:
    """Stands before the server at `url`; give its own `url` to the clients."""

    def __init__(self, server_url: str, seed: int) -> None:
        # passed in
        self._port = int(server_url.rpartition(":")[2])
        # made here
        self._random = random.Random(seed)
        self._listener: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.url = ""
        self.repeated = 0

    async def start(self) -> None:
        """Listen on a free port."""
        self._listener = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._listener.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        """Cut everything."""
        assert self._listener is not None
        self._listener.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._listener.wait_closed()

    def _connected(self, up: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        # A task of our own: asyncio's takes its cancelling for a bug, and logs it.
        task = asyncio.create_task(self._between(up, back))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _between(self, up: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        try:
            down, on = await asyncio.open_connection("127.0.0.1", self._port)
            try:
                async with asyncio.TaskGroup() as both:
                    both.create_task(self._pass(up, on))
                    both.create_task(self._pass(down, back))
            finally:
                on.close()
        except* (OSError, asyncio.IncompleteReadError):
            pass  # one side is gone: so is the other
        finally:
            back.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(head)
        if b"upgrade: websocket" in head.lower():
            async for frame in frames(reader):
                await self._meddle(frame, writer)
        else:
            while piece := await reader.read(65_536):
                writer.write(piece)
                await writer.drain()
        # The end of one direction ends both.
        raise ConnectionResetError

    async def _meddle(self, frame: bytes, writer: asyncio.StreamWriter) -> None:
        if self._random.random() < DELAYED:
            await asyncio.sleep(self._random.random() * DELAY_MAX_S)
        writer.write(frame)
        if b"42" in frame[2:16] and self._random.random() < REPEATED:
            self.repeated += 1
            writer.write(frame)
        await writer.drain()


async def frames(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """Whole frames, masked or not, until the stream ends."""
    with contextlib.suppress(asyncio.IncompleteReadError):
        while True:
            head = await reader.readexactly(2)
            size = head[1] & 0x7F
            more = {126: 2, 127: 8}.get(size, 0)
            head += await reader.readexactly(more)
            size = int.from_bytes(head[2:], "big") if more else size
            mask = 4 if head[1] & 0x80 else 0
            yield head + await reader.readexactly(mask + size)
