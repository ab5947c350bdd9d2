"""Bytes that no file has any more go from the blob store."""

from collections.abc import Sequence
from typing import Protocol

from signaling.services.file_record import File, FileRecords, thumbnail_of


class Deleting(Protocol):
    """The blob store, as seen by who clears it."""

    async def delete(self, key: str) -> None: ...


class FileBytes:
    """Deletes only under keys that no file has: none ever gets such a key again, so nobody who is
    just keeping the same bytes loses them."""

    def __init__(self, records: FileRecords, blobs: Deleting) -> None:
        # passed in
        self._records = records
        self._blobs = blobs

    async def forget(self, file: File) -> None:
        """The row, then its bytes unless another file has them. After a crash in between the
        bytes are found by the sweep: a row without bytes would be a lie, bytes without one not."""
        await self._records.delete(file.id)
        await self.drop([file.blob])

    async def drop(self, blobs: Sequence[str]) -> None:
        """Those of these that no file has."""
        for blob in await self._records.unreferenced(blobs):
            await self._blobs.delete(blob)
            await self._blobs.delete(thumbnail_of(blob))
