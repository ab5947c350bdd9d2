"""From the last byte to the message: check, keep, look at, post. Each step may be done again."""

import logging
from typing import Any, Protocol

from msgspec.structs import replace

from signaling.errors import Refused
from signaling.ports import BlobStore, Clock
from signaling.services.file_news import FileNews
from signaling.services.file_record import File, FileRecords
from signaling.services.file_rights import Posting
from signaling.services.landing import Landing
from signaling.services.landings import Landings

log = logging.getLogger(__name__)

SILENT_MS = 60 * 1000
"""Who finishes a file says so every few seconds; after so long without it is not at it any more."""
LOST_MS = 24 * 3600 * 1000
"""How long a file waits for the node that has its bytes to come back."""


class Pictures(Protocol):
    """Looks at images."""

    async def look(self, path: str, type_: str) -> "tuple[dict[str, Any], str | None] | None":
        """`({width, height, blurhash}, path of a thumbnail)`; None for what is no sound picture.

        The caller removes the thumbnail's file.
        """

    def done(self, thumbnail: str) -> None:
        """Remove a thumbnail's file."""


class FileFinish:
    """Carries a file from `uploading` to `ready`, and its message into the log."""

    def __init__(
        self,
        records: FileRecords,
        blobs: BlobStore,
        landings: Landings,
        posting: Posting,
        news: FileNews,
        clock: Clock,
        pictures: Pictures | None = None,
    ) -> None:
        # passed in
        self._records = records
        self._blobs = blobs
        self._landings = landings
        self._posting = posting
        self._news = news
        self._clock = clock
        self._pictures = pictures

    async def landed(self, landing: Landing) -> File:
        """All bytes are in the spool. Raises Refused; bad_request for a wrong sha256."""
        file = landing.file
        if await landing.spool.digest() != file.sha256:
            landing.restart()
            raise Refused("bad_request", "the bytes do not have the sha256 that was offered")
        await landing.spool.sync()
        storing = await self._records.keep(file, self._clock())
        if storing is None:
            raise _elsewhere()
        ready = await self._keep(storing, str(landing.spool.path))
        self._landings.end(landing, whole=True)
        return await self.post(ready)

    async def known(self, file: File, twin: File) -> File | None:
        """The same bytes are kept already, and the sender may read them; None if not any more."""
        ready = await self._records.adopt(file, twin, self._clock())
        return None if ready is None else await self.post(ready)

    async def again(self, file: File) -> File:
        """Go on where a process ended in the middle; the file as it is when another node is at it.

        Raises Refused.
        """
        if file.state == "storing":
            file = await self._again_stored(file)
        return file if file.state == "storing" else await self.post(file)

    async def post(self, file: File) -> File:
        """The message, then `file:ready`, each once. Raises Refused; unpostable files fail."""
        if file.conversation is not None:
            try:
                seq = await self._posting.post(file, file.conversation, file.to_body())
            except Refused as refused:
                if not refused.retryable:
                    await self._news.ended(await self._moved(file, "failed"))
                raise
            posted = replace(file, seq=seq)
            await self._records.replace(posted, "ready")
            file = posted
        await self._news.ready(file)
        await self._news.ended(file)
        return file

    async def _keep(self, file: File, path: str) -> File:
        if await self._blobs.size(file.blob) != file.size:
            await self._blobs.put_file(file.blob, path)
        return await self._moved(await self._looked_at(file, path), "ready")

    async def _again_stored(self, file: File) -> File:
        if self._landings.elsewhere(file):
            return await self._stranded(file)
        landing = self._landings.acquire(file)
        try:
            async with landing.lock:
                ready = await self._from_spool(file, landing)
                self._landings.end(landing, whole=True)
                return ready
        finally:
            self._landings.release(landing)

    async def _from_spool(self, file: File, landing: Landing) -> File:
        if await landing.spool.digest() == file.sha256:
            return await self._keep(file, str(landing.spool.path))
        if await self._blobs.size(file.blob) == file.size:
            return await self._moved(file, "ready")
        self._landings.end(landing, whole=False)
        raise await self._lost(file)

    async def _stranded(self, file: File) -> File:
        """Another node has its bytes: it is left to that one while it lives, or may come back."""
        silent_ms = self._clock() - file.touched_at
        if silent_ms < SILENT_MS:
            return file
        if await self._blobs.size(file.blob) == file.size:
            return await self._moved(file, "ready")
        if silent_ms < LOST_MS:
            return file
        raise await self._lost(file)

    async def _lost(self, file: File) -> Refused:
        await self._news.ended(await self._moved(file, "failed"))
        return Refused("conflict", "the bytes were lost; offer the file again")

    async def _looked_at(self, file: File, path: str) -> File:
        if self._pictures is None or file.image or not file.type.startswith("image/"):
            return file
        seen = await self._pictures.look(path, file.type)
        if seen is None:
            return file
        image, thumbnail = seen
        if thumbnail is not None:
            try:
                await self._blobs.put_file(file.thumbnail, thumbnail)
            finally:
                self._pictures.done(thumbnail)
        return replace(file, image={**image, "thumbnail": thumbnail is not None})

    async def _moved(self, file: File, state: Any) -> File:
        moved = replace(file, state=state, touched_at=self._clock())
        if not await self._records.replace(moved, file.state):
            raise _elsewhere()
        return moved


def _elsewhere() -> Refused:
    return Refused("conflict", "the file was cancelled, or is being finished elsewhere")
