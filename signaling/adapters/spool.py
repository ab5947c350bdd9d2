"""Unfinished uploads as files in one directory: appended in order, hashed as they land."""

import asyncio
import contextlib
import fcntl
import hashlib
import os
import re
import uuid
from collections.abc import Iterator
from pathlib import Path

from signaling.errors import Refused

INLINE_MAX_BYTES = 128 * 1024
"""Up to here a write and its hash take less time than a thread's round trip."""
HASH_BLOCK_BYTES = 4 * 1024 * 1024
_FILE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class SpoolFile:
    """The bytes of one upload so far: [0, landed), and their running sha256.

    One process at a time appends to it. After `remove` an open one can still be read.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        # passed in
        self.path = path
        self._descriptor = descriptor
        # made here
        self.landed = os.fstat(descriptor).st_size
        self._sha256 = hashlib.sha256()
        self._hashed = 0

    async def append(self, data: bytes) -> None:
        """Write at the end. Raises Refused unavailable when the disk is full or broken."""
        if len(data) <= INLINE_MAX_BYTES and self._hashed == self.landed:
            self._append(data)
        else:
            await asyncio.to_thread(self._append, data)

    async def digest(self) -> str:
        """Hex sha256 of all that landed."""
        await asyncio.to_thread(self._catch_up)
        return self._sha256.hexdigest()

    async def read(self, start: int, limit: int) -> bytes:
        """At most `limit` bytes from `start`; fewer at the end."""
        if limit <= INLINE_MAX_BYTES:
            return os.pread(self._descriptor, limit, start)
        return await asyncio.to_thread(os.pread, self._descriptor, limit, start)

    async def sync(self) -> None:
        """Return once the bytes are on disk."""
        await asyncio.to_thread(os.fsync, self._descriptor)

    def restart(self) -> None:
        """Throw the bytes away."""
        os.ftruncate(self._descriptor, 0)
        self.landed = self._hashed = 0
        self._sha256 = hashlib.sha256()

    def close(self) -> None:
        """Let go of the file, and of the lock on it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _append(self, data: bytes) -> None:
        self._catch_up()
        try:
            written = os.pwrite(self._descriptor, data, self.landed)
        except OSError as error:
            raise Refused("unavailable", f"cannot keep the bytes: {error.strerror}") from error
        self._sha256.update(memoryview(data)[:written])
        self.landed += written
        self._hashed = self.landed
        if written < len(data):
            raise Refused("unavailable", "cannot keep the bytes: the disk is full")

    def _catch_up(self) -> None:
        """Hash what an earlier process, or an earlier connection, left behind."""
        while self._hashed < self.landed:
            block = os.pread(
                self._descriptor, min(HASH_BLOCK_BYTES, self.landed - self._hashed), self._hashed
            )
            if not block:
                raise Refused("unavailable", "the spool was cut from outside")
            self._sha256.update(block)
            self._hashed += len(block)


class Spool:
    """The directory of unfinished uploads."""

    def __init__(self, directory: Path) -> None:
        # passed in
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        # made here
        self.id = _named(directory.with_name(f"{directory.name}.id"))
        """The same for every process that has this directory, and after a restart."""

    def open(self, file: str) -> SpoolFile:
        """Create or reopen. Raises Refused conflict while another process has it open."""
        path = self._path(file)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Refused("unavailable", f"cannot spool: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise Refused(
                "conflict", "another process is receiving this file", retryable=True
            ) from None
        return SpoolFile(path, descriptor)

    def landed(self, file: str) -> int:
        """How many bytes are there; 0 when nothing is."""
        try:
            return self._path(file).stat().st_size
        except FileNotFoundError:
            return 0

    def remove(self, file: str) -> None:
        """Forget the bytes; nothing happens when there are none."""
        self._path(file).unlink(missing_ok=True)

    def older_than(self, before_s: float) -> Iterator[str]:
        """Files whose bytes last changed before a time (UTC seconds)."""
        for entry in list(os.scandir(self._directory)):
            if entry.is_file(follow_symlinks=False) and entry.stat().st_mtime < before_s:
                yield entry.name

    def _path(self, file: str) -> Path:
        if not _FILE_ID.fullmatch(file):  # ours always fit; a path never does
            raise Refused("not_found", "no such file")
        return self._directory / file


def _named(path: Path) -> str:
    """The id written at `path`, by whichever process was here first."""
    aside = path.with_name(f".{uuid.uuid4().hex}")
    aside.write_text(uuid.uuid4().hex)
    try:
        with contextlib.suppress(FileExistsError):  # an earlier process wrote it
            os.link(aside, path)
    finally:
        aside.unlink()
    return path.read_text()
