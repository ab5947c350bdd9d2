"""Files over data channels: `u64 offset | bytes` either way, one text message at the end."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

from aiortc.exceptions import InvalidStateError
from aiortc.rtcdatachannel import RTCDataChannel

from media.errors import MediaError
from media.relay import frames

log = logging.getLogger(__name__)

SEND_CHUNK_BYTES: Final = 48 * 1024
READ_BYTES: Final = 8 * SEND_CHUNK_BYTES
WRITE_BYTES: Final = 512 * 1024
"""Chunks that arrived together are written together, up to here."""
INBOX_MAX_BYTES: Final = 8 * 1024 * 1024
"""What a disk slower than the network may let wait; then the channel ends, to be resumed."""
BUFFERED_HIGH_BYTES: Final = 256 * 1024
BUFFERED_LOW_BYTES: Final = 64 * 1024
CHUNKS_PER_TURN: Final = 4
"""Between two turns of the loop, which packets share."""
STALL_TIMEOUT_S: Final = 60.0
OPEN_TIMEOUT_S: Final = 20.0


class Upload(Protocol):
    """The right to write one file; a newer one of the same file takes it away."""

    @property
    def offset(self) -> int:
        """The first byte that is missing."""

    @property
    def size(self) -> int:
        """Bytes of the whole file."""

    async def write(self, offset: int, data: bytes) -> None:
        """Keep `data`; what landed before is skipped. Raises MediaError for a gap or an excess."""

    async def finish(self) -> dict[str, Any]:
        """Check all of it and let others know; what the sender is told. Raises MediaError."""

    def close(self) -> None:
        """Stop writing; what landed stays."""


class Download(Protocol):
    """Bytes of one file, in order."""

    async def read(self, limit: int) -> bytes:
        """The next ones, waiting while the file is still uploading; empty at the end.

        Raises MediaError."""

    async def close(self) -> None: ...


class FileStore(Protocol):
    """Where bytes go and come from. It decides who may; MediaError says why not."""

    async def begin(self, room: str, participant: str, file: str) -> Upload: ...

    async def open(self, room: str, participant: str, file: str, offset: int) -> Download: ...


class Receiver:
    """Takes one file from a channel that the client opened."""

    def __init__(self, channel: RTCDataChannel, begin: Callable[[], Awaitable[Upload]]) -> None:
        # passed in
        self._channel = channel
        self._begin = begin
        # made here
        self._inbox: deque[frames.Chunk] = deque()
        self._inbox_bytes = 0
        self._arrived = asyncio.Event()
        self._failure: MediaError | None = None
        self._closed = False
        channel.on("message", self._message)
        channel.on("close", self._close)

    async def run(self) -> None:
        """Until the file is whole, something is wrong, or the channel closes."""
        upload: Upload | None = None
        try:
            upload = await self._begin()
            if await self._receive(upload):
                _finally(self._channel, frames.ok(await upload.finish()))
        except MediaError as error:
            more = {} if upload is None else {"offset": upload.offset}
            _finally(self._channel, frames.error(error.code, error.message, **more))
        finally:
            if upload is not None:
                upload.close()

    async def _receive(self, upload: Upload) -> bool:
        """Write what arrives; False when the channel closed before the end."""
        while upload.offset < upload.size:
            if not self._inbox:
                if self._failure is not None:
                    raise self._failure
                if self._closed:
                    return False
                await self._wait()
                continue
            offset, data = self._batch()
            await upload.write(offset, data)
            await asyncio.sleep(0)
        return True

    async def _wait(self) -> None:
        self._arrived.clear()
        try:
            async with asyncio.timeout(STALL_TIMEOUT_S):
                await self._arrived.wait()
        except TimeoutError:
            raise MediaError("timeout", "no bytes came; resume at the offset") from None

    def _batch(self) -> frames.Chunk:
        """The chunks at hand that continue each other, as one."""
        first = self._inbox.popleft()
        parts, end = [first.data], first.offset + len(first.data)
        while (
            self._inbox
            and self._inbox[0].offset == end
            and end - first.offset + len(self._inbox[0].data) <= WRITE_BYTES
        ):
            chunk = self._inbox.popleft()
            parts.append(chunk.data)
            end += len(chunk.data)
        self._inbox_bytes -= end - first.offset
        return frames.Chunk(first.offset, b"".join(parts))

    def _message(self, message: bytes | str) -> None:
        if self._failure is None and not self._closed:
            try:
                self._take(message)
            except ValueError as error:
                self._failure = MediaError("bad_request", str(error))
            except MediaError as error:
                self._failure = error
        self._arrived.set()

    def _take(self, message: bytes | str) -> None:
        if isinstance(message, str):
            raise MediaError("conflict", "the sender has stopped")
        chunk = frames.parse_chunk(message)
        if self._inbox_bytes + len(chunk.data) > INBOX_MAX_BYTES:
            raise MediaError("unavailable", "the disk is slower than the network; resume later")
        self._inbox.append(chunk)
        self._inbox_bytes += len(chunk.data)

    def _close(self) -> None:
        self._closed = True
        self._arrived.set()


class Sender:
    """Streams one file into a channel that the server opened."""

    def __init__(
        self, channel: RTCDataChannel, open_: Callable[[], Awaitable[Download]], offset: int
    ) -> None:
        # passed in
        self._channel = channel
        self._open = open_
        self._offset = offset
        # made here
        self._stopped = asyncio.Event()
        self._changed = asyncio.Event()
        channel.bufferedAmountLowThreshold = BUFFERED_LOW_BYTES
        channel.on("open", self._changed.set)
        channel.on("bufferedamountlow", self._changed.set)
        channel.on("close", self._stop)
        channel.on("message", lambda message: self._stop())

    async def run(self) -> None:
        """Until the end of the file, or until the receiver has stopped."""
        download: Download | None = None
        try:
            await self._until(lambda: self._channel.readyState == "open", OPEN_TIMEOUT_S)
            download = await self._open()
            await self._send_all(download)
            if not self._stopped.is_set():
                _finally(self._channel, frames.ok({"size": self._offset}))
        except MediaError as error:
            _finally(self._channel, frames.error(error.code, error.message, offset=self._offset))
        finally:
            if download is not None:
                await download.close()

    async def _send_all(self, download: Download) -> None:
        while not self._stopped.is_set() and (data := await download.read(READ_BYTES)):
            view = memoryview(data)
            for turn, start in enumerate(range(0, len(view), SEND_CHUNK_BYTES), start=1):
                await self._until(self._has_room, STALL_TIMEOUT_S)
                if self._stopped.is_set():
                    return
                self._send(view[start : start + SEND_CHUNK_BYTES])
                if turn % CHUNKS_PER_TURN == 0:
                    await asyncio.sleep(0)

    def _send(self, data: memoryview) -> None:
        try:
            self._channel.send(frames.pack_chunk(self._offset, data))
        except InvalidStateError:  # closing: `close` follows
            self._stop()
        else:
            self._offset += len(data)

    def _has_room(self) -> bool:
        return self._channel.bufferedAmount < BUFFERED_HIGH_BYTES

    async def _until(self, condition: Callable[[], bool], timeout_s: float) -> None:
        """Wait for a condition, or for the receiver to stop. Raises MediaError timeout."""
        try:
            async with asyncio.timeout(timeout_s):
                while not self._stopped.is_set() and not condition():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise MediaError("timeout", "the receiver takes no bytes") from None

    def _stop(self) -> None:
        self._stopped.set()
        self._changed.set()


def _finally(channel: RTCDataChannel, text: str) -> None:
    """Say how it ended and close; nothing to say to a channel that is closed."""
    if channel.readyState == "open":
        channel.send(text)
    channel.close()
