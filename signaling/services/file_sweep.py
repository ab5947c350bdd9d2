"""Clears away what nobody will finish, and finishes what a crash left half done."""

import logging
from collections.abc import AsyncIterator, Iterator
from typing import Protocol

from signaling.errors import Refused
from signaling.ports import Clock
from signaling.services.file_bytes import FileBytes
from signaling.services.file_finish import SILENT_MS, FileFinish
from signaling.services.file_news import FileNews
from signaling.services.file_record import File, FileRecords, State, blob_of
from signaling.services.landings import Landings

log = logging.getLogger(__name__)

ABANDONED_MS = 24 * 3600 * 1000
"""An upload without a byte for this long is given up; a Room's file is kept this long."""
HALF_DONE_MS = SILENT_MS
"""A file that has been finishing for this long is not being finished any more."""
ENDED: tuple[State, ...] = ("ready", "cancelled", "failed")
"""`ready` means: of a Room."""
PERIOD_S = 10 * 60.0
LISTED_MS = 6 * 3600 * 1000
"""How often the whole blob store is listed. What a sweep, an erasure or a cancelled upload leaves
is deleted at once: this finds what a crash left."""
EXPORTS = "exports"
"""Archives, which are no files: whoever made them deletes them."""
ARCHIVES_MS = 8 * 24 * 3600 * 1000
"""Longer than any archive is kept: an older one was left by a crash."""
AT_ONCE = 500
"""Posted files, or keys of blobs, looked up with one query."""
LOOKED_AT_MAX = 20 * AT_ONCE
"""Posted files whose messages are looked for in one round."""


class SweptSpool(Protocol):
    """The spool, as seen by who clears it."""

    def older_than(self, before_s: float) -> Iterator[str]:
        """Files whose bytes last changed before a time (UTC seconds)."""


class SweptBlobs(Protocol):
    """The blob store, as seen by who clears it."""

    def keys(self, before: int, folder: str | None = None) -> AsyncIterator[str]:
        """Keys of blobs stored before a time (UTC milliseconds), all or those in a folder."""

    async def delete(self, key: str) -> None: ...


class FileSweep:
    """`sweep` is run now and then, on every node; doing it twice does no harm."""

    def __init__(
        self,
        records: FileRecords,
        blobs: SweptBlobs,
        spool: SweptSpool,
        landings: Landings,
        news: FileNews,
        finish: FileFinish,
        clock: Clock,
    ) -> None:
        # passed in
        self._records = records
        self._blobs = blobs
        self._spool = spool
        self._landings = landings
        self._news = news
        self._finish = finish
        self._clock = clock
        # made here
        self._bytes = FileBytes(records, blobs)
        self._looked_at = ""
        """The last file whose message was looked for; each round goes on from it."""
        self._listed_at = 0

    async def sweep(self) -> None:
        """One round."""
        now = self._clock()
        await self._finish_half_done(now - HALF_DONE_MS)
        await self._give_up_abandoned(now - ABANDONED_MS, now)
        await self._forget_unkept(now - ABANDONED_MS)
        await self._forget_withdrawn()
        if now - self._listed_at >= LISTED_MS:
            await self._delete_orphans(now - ABANDONED_MS)
            async for key in self._blobs.keys(now - ARCHIVES_MS, EXPORTS):
                await self._blobs.delete(key)
            self._listed_at = now

    async def _finish_half_done(self, before: int) -> None:
        here = self._landings.spool
        for file in await self._records.half_done(here, before):
            if self._landings.get(file.id) is None:
                await self._again(file)
        for file in await self._records.stranded(here, before):
            await self._again(file)

    async def _again(self, file: File) -> None:
        try:
            await self._finish.again(file)
        except Refused as refused:
            log.warning("file %s is not finished: %s", file.id, refused.message)
            # To the end of the line: those behind it have their turn first.
            await self._records.touch([file.id], self._clock())

    async def _give_up_abandoned(self, before: int, now: int) -> None:
        for name in list(self._spool.older_than(before / 1000)):
            file = await self._records.get(name)
            if file is None or file.state in ("ready", "cancelled", "failed"):
                self._forget(name)
        for file in await self._records.stale("uploading", before):
            cancelled = await self._records.abandon(file, before, now)
            if cancelled is not None:
                self._landings.forget(file.id)
                await self._news.ended(cancelled)

    def _forget(self, file: str) -> None:
        if self._landings.get(file) is None:
            self._landings.forget(file)

    async def _forget_unkept(self, before: int) -> None:
        # Those that came to nothing are kept a while, so that the same client_id is told.
        for state in ENDED:
            for file in await self._records.stale(state, before):
                await self._bytes.forget(file)

    async def _forget_withdrawn(self) -> None:
        for _ in range(LOOKED_AT_MAX // AT_ONCE):
            gone, following = await self._records.withdrawn(self._looked_at, AT_ONCE)
            for file in gone:
                await self._bytes.forget(file)
            self._looked_at = following or ""
            if following is None:
                return

    async def _delete_orphans(self, before: int) -> None:
        keys: list[str] = []
        async for key in self._blobs.keys(before):
            if not key.startswith(f"{EXPORTS}/"):
                keys.append(key)
            if len(keys) == AT_ONCE:
                await self._delete_unnamed(keys)
                keys.clear()
        await self._delete_unnamed(keys)

    async def _delete_unnamed(self, keys: list[str]) -> None:
        orphans = set(await self._records.unreferenced([blob_of(key) for key in keys]))
        for key in keys:
            if blob_of(key) in orphans:
                await self._blobs.delete(key)
