"""BlobStore on obstore: a directory, or S3 (and what speaks it) by URL."""

import asyncio
import contextlib
import os
import uuid
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, ObjectStore, S3Store, from_url

from signaling.errors import Refused

READ_CHUNK_BYTES = 512 * 1024
PART_BYTES = 8 * 1024 * 1024
"""Of a multipart upload; S3 takes parts from 5 MiB."""
RETRY_S = 20.0
"""How long a request to a store that does not answer is tried again."""


class ObjectBlobs:
    """Any store obstore speaks to."""

    def __init__(self, store: ObjectStore) -> None:
        # passed in
        self._store = store

    async def put_file(self, key: str, path: str) -> None:
        """Store the file at `path`; whole or not at all. Raises Refused unavailable."""
        try:
            await obstore.put_async(self._store, key, Path(path), chunk_size=PART_BYTES)
        except BaseError as error:
            raise _unavailable(error) from error

    async def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Bytes [start, end) in chunks. Raises Refused not_found, unavailable."""
        if end <= start:
            if await self.size(key) is None:
                raise Refused("not_found", "no such blob")
            return
        try:
            got = await obstore.get_async(self._store, key, options={"range": (start, end)})
            async for chunk in got.stream(min_chunk_size=READ_CHUNK_BYTES):
                yield bytes(chunk)
        except (NotFoundError, FileNotFoundError) as error:
            raise Refused("not_found", "no such blob") from error
        except BaseError as error:
            raise _unavailable(error) from error

    async def size(self, key: str) -> int | None:
        """Bytes of a blob; None when there is none."""
        try:
            return int((await obstore.head_async(self._store, key))["size"])
        except (NotFoundError, FileNotFoundError):
            return None
        except BaseError as error:
            raise _unavailable(error) from error

    async def delete(self, key: str) -> None:
        """Remove; nothing happens when there is none."""
        try:
            await obstore.delete_async(self._store, key)
        except (NotFoundError, FileNotFoundError):
            return
        except BaseError as error:
            raise _unavailable(error) from error

    async def keys(self, before: int, folder: str | None = None) -> AsyncIterator[str]:
        """Keys of blobs stored before a time (UTC milliseconds), all or those in a folder."""
        limit = datetime.fromtimestamp(before / 1000, UTC)
        try:
            async for page in obstore.list(self._store, folder, chunk_size=1000):
                for entry in page:
                    if entry["last_modified"] < limit:
                        yield entry["path"]
        except BaseError as error:
            raise _unavailable(error) from error


class LocalBlobs(ObjectBlobs):
    """A directory. A spool on the same file system becomes a blob by a link, without a copy."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        super().__init__(LocalStore(prefix=directory))
        # passed in
        self._directory = directory

    async def put_file(self, key: str, path: str) -> None:
        """Store the file at `path`; whole or not at all, and on disk."""
        try:
            await asyncio.to_thread(self._link, key, Path(path))
        except OSError:
            await super().put_file(key, path)  # another file system

    async def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Bytes [start, end) in chunks, straight from the file: a tenth of the time."""
        try:
            descriptor = await asyncio.to_thread(os.open, self._directory / key, os.O_RDONLY)
        except FileNotFoundError as error:
            raise Refused("not_found", "no such blob") from error
        except OSError as error:
            raise _unavailable(error) from error
        try:
            while start < end:
                limit = min(READ_CHUNK_BYTES, end - start)
                chunk = await asyncio.to_thread(os.pread, descriptor, limit, start)
                if not chunk:
                    return
                start += len(chunk)
                yield chunk
        finally:
            os.close(descriptor)

    def _link(self, key: str, path: Path) -> None:
        target = self._directory / key
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Not the spool itself: its name must go on naming the spool until the row says `ready`.
        aside = target.with_name(f".{uuid.uuid4().hex}")
        os.link(path, aside)
        try:
            _sync(aside)
            aside.replace(target)
        finally:
            # rename(2) of two names of one file does nothing and leaves both.
            aside.unlink(missing_ok=True)
        _sync(target.parent)


def open_blobs(
    url: str,
    directory: Path,
    options: Mapping[str, Any] | None = None,
    retry_s: float = RETRY_S,
) -> ObjectBlobs:
    """The store at `url` (`s3://bucket/prefix?region=…&endpoint=…`), or `directory` without one.

    Credentials come from the environment (AWS_ACCESS_KEY_ID, …) or `options`. Raises ValueError.
    """
    if not url:
        return LocalBlobs(directory)
    if url.startswith("file://"):
        return LocalBlobs(Path(url.removeprefix("file://")))
    try:
        if url.startswith("s3://"):
            return ObjectBlobs(_s3(url, options or {}, retry_s))
        return ObjectBlobs(from_url(url, **(options or {})))
    except BaseError as error:
        raise ValueError(f"cannot keep blobs at {url}: {error}") from error


def _s3(url: str, options: Mapping[str, Any], retry_s: float) -> ObjectStore:
    base, _, query = url.partition("?")
    settings: dict[str, Any] = dict(pair.split("=", 1) for pair in query.split("&") if "=" in pair)
    settings.update(options)
    return S3Store.from_url(
        base,
        client_options={
            "allow_http": str(settings.get("endpoint", "")).startswith("http://"),
            "connect_timeout": timedelta(seconds=5),
            "read_timeout": timedelta(seconds=30),
            "timeout": timedelta(hours=1),  # of one whole request: a large blob to a slow reader
        },
        retry_config={"max_retries": 5, "retry_timeout": timedelta(seconds=retry_s)},
        **settings,
    )


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        with contextlib.suppress(OSError):
            os.close(descriptor)


def _unavailable(error: Exception) -> Refused:
    return Refused("unavailable", f"the blob store does not answer: {type(error).__name__}")
