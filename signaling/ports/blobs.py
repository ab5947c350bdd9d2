"""Immutable bytes."""

from collections.abc import AsyncIterator
from typing import Protocol


class BlobStore(Protocol):
    """Immutable bytes by key."""

    async def put_file(self, key: str, path: str) -> None:
        """Store the file at `path`; whole or not at all."""

    def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Bytes [start, end) in chunks. Raises Refused not_found."""

    async def size(self, key: str) -> int | None: ...

    async def delete(self, key: str) -> None: ...
