"""Bytes of a file on their way in: one writer, any number of readers that follow it."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

from signaling.errors import Refused
from signaling.services.file_record import File

STALL_TIMEOUT_S = 60.0
"""A reader that waits this long for the writer gives up; it may resume at its offset."""


class SpoolFile(Protocol):
    """What `signaling.adapters.spool` gives: bytes appended in order and hashed."""

    landed: int
    path: Path

    async def append(self, data: bytes) -> None:
        """Raises Refused unavailable."""

    async def digest(self) -> str: ...

    async def read(self, start: int, limit: int) -> bytes: ...

    async def sync(self) -> None: ...

    def restart(self) -> None: ...

    def close(self) -> None: ...


class Landing:
    """One file's spool while anybody writes or reads it."""

    def __init__(self, file: File, spool: SpoolFile) -> None:
        # passed in
        self.file = file
        self.spool = spool
        # made here
        self.lock = asyncio.Lock()
        """Held while bytes are written, the upload is finished, or the writer changes."""
        self.writer: object | None = None
        self.users = 0
        self.whole = False
        """All there, with the right sha256."""
        self.broken = False
        """The upload was cancelled."""
        self.attempt = 0
        """Goes up when the bytes turned out wrong and are thrown away."""
        self._changed = asyncio.Event()
        self._seen = -1

    def at_work(self) -> bool:
        """Whether it is being finished, or bytes came since this was asked last."""
        seen, self._seen = self._seen, self.spool.landed
        moved = self.writer is not None and self.spool.landed != seen
        return moved or self.lock.locked()

    @property
    def readable(self) -> int:
        """Readers may have [0, readable). The last byte waits for the sha256: nobody ends up with
        a whole file that is not the one that was offered."""
        return self.file.size if self.whole else min(self.spool.landed, self.file.size - 1)

    def restart(self) -> None:
        """Throw the bytes away; who has read some of them is told to give up."""
        self.spool.restart()
        self.attempt += 1
        self.tell()

    def tell(self) -> None:
        """Wake the readers."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def changed(self) -> None:
        """Wait for the next `tell`. Raises Refused timeout."""
        try:
            async with asyncio.timeout(STALL_TIMEOUT_S):
                await self._changed.wait()
        except TimeoutError:
            raise Refused("timeout", "the sender has stalled; resume later") from None


class Upload:
    """The right to write one file. A newer Upload of the same file takes it away."""

    def __init__(
        self,
        landing: Landing,
        on_landed: Callable[[File, int], Awaitable[None]],
        on_whole: Callable[[Landing], Awaitable[File]],
        on_close: Callable[[Landing], None],
    ) -> None:
        # passed in
        self._landing = landing
        self._on_landed = on_landed
        self._on_whole = on_whole
        self._on_close = on_close
        # made here
        self._closed = False

    @property
    def offset(self) -> int:
        """The first byte that is missing."""
        return self._landing.spool.landed

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        return self._landing.file.size

    async def write(self, offset: int, data: bytes) -> int:
        """Keep `data`, which begins at `offset`; the new offset. What landed before is skipped.

        Raises Refused: conflict for a gap or a newer Upload, too_large beyond the file's size.
        """
        async with self._landing.lock:
            self._mine()
            if offset > self.offset:
                raise Refused("conflict", f"bytes {self.offset} to {offset} are missing")
            if offset + len(data) > self.size:
                raise Refused("too_large", f"the file was offered with {self.size} bytes")
            fresh = data[self.offset - offset :] if offset < self.offset else data
            if fresh:
                await self._landing.spool.append(fresh)
        if fresh:
            self._landing.tell()
            await self._on_landed(self._landing.file, self.offset)
        return self.offset

    async def finish(self) -> File:
        """Check the sha256, keep the blob, post the message; the file as it is then.

        Raises Refused: conflict while bytes are missing, bad_request for a wrong sha256 (the
        upload starts over at 0).
        """
        async with self._landing.lock:
            self._mine()
            if self.offset < self.size:
                raise Refused("conflict", f"bytes from {self.offset} on are missing")
            return await self._on_whole(self._landing)

    def close(self) -> None:
        """Stop writing; what landed stays for the next Upload."""
        if not self._closed:
            self._closed = True
            if self._landing.writer is self:
                self._landing.writer = None
            self._on_close(self._landing)

    def _mine(self) -> None:
        if self._closed or self._landing.writer is not self:
            raise Refused("conflict", "another upload of this file has taken over")
        if self._landing.broken:
            raise Refused("conflict", "the upload was cancelled")


class Following:
    """Reads a file while it lands."""

    def __init__(
        self, landing: Landing, start: int, end: int, on_close: Callable[[Landing], None]
    ) -> None:
        # passed in
        self._landing = landing
        self._offset = start
        self._end = end
        self._on_close = on_close
        # made here
        self._attempt = landing.attempt
        self._closed = False

    async def read(self, limit: int) -> bytes:
        """The next bytes, at most `limit`, waiting for some; empty at the end.

        Raises Refused: timeout when the sender stalls, conflict when it gave up or lied.
        """
        while True:
            landing = self._landing
            if landing.broken or landing.attempt != self._attempt:
                raise Refused("conflict", "the upload was given up, or its bytes were wrong")
            ready = min(landing.readable, self._end)
            if self._offset < ready:
                data = await landing.spool.read(self._offset, min(limit, ready - self._offset))
                self._offset += len(data)
                return data
            if self._offset >= self._end:
                return b""
            await landing.changed()

    async def close(self) -> None:
        """Let go of the spool."""
        if not self._closed:
            self._closed = True
            self._on_close(self._landing)
