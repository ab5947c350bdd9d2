"""Clears away what nobody will finish, and finishes what a crash left half done."""

import contextlib
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Protocol

from signaling.errors import Refused
from signaling.ports import Clock
from signaling.services.file_finish import FileFinish
from signaling.services.file_record import FileRecords
from signaling.services.file_rights import FileRights
from signaling.services.files import Files
from signaling.services.landings import Landings

log = logging.getLogger(__name__)

ABANDONED_MS = 24 * 3600 * 1000
"""An upload without a byte for this long is given up; a Room's file is kept this long."""
HALF_DONE_MS = 60 * 1000
"""A file that has been finishing for this long is not being finished any more."""
PERIOD_S = 10 * 60.0
EXPORTS = "exports"
"""Blobs that are no files: whoever made them deletes them."""
LOOKED_AT_ONCE = 500
"""Posted files whose messages are looked for in one round."""


class SweptSpool(Protocol):
    """The spool, as seen by who clears it."""

    def older_than(self, before_s: float) -> Iterator[str]:
        """Files whose bytes last changed before a time (UTC seconds)."""


class SweptBlobs(Protocol):
    """The blob store, as seen by who clears it."""

    def keys(self, before: int) -> AsyncIterator[str]:
        """Keys of blobs stored before a time (UTC milliseconds)."""

    async def delete(self, key: str) -> None: ...


class FileSweep:
    """`sweep` is run now and then, on every node; doing it twice does no harm."""

    def __init__(
        self,
        records: FileRecords,
        rights: FileRights,
        blobs: SweptBlobs,
        spool: SweptSpool,
        landings: Landings,
        files: Files,
        finish: FileFinish,
        clock: Clock,
    ) -> None:
        # passed in
        self._records = records
        self._rights = rights
        self._blobs = blobs
        self._spool = spool
        self._landings = landings
        self._files = files
        self._finish = finish
        self._clock = clock
        # made here
        self._looked_at = ""
        """The last file whose message was looked for; each round goes on from it."""

    async def sweep(self) -> None:
        """One round."""
        now = self._clock()
        await self._finish_half_done(now - HALF_DONE_MS)
        await self._give_up_abandoned(now - ABANDONED_MS)
        await self._forget_unkept(now - ABANDONED_MS)
        await self._forget_withdrawn()
        await self._delete_orphans(now - ABANDONED_MS)

    async def _finish_half_done(self, before: int) -> None:
        half_done = await self._records.stale("storing", before)
        half_done += [
            file for file in await self._records.stale("ready", before) if file.room is None
        ]
        for file in half_done:
            if self._landings.get(file.id) is not None:
                continue
            try:
                await self._finish.again(file)
            except Refused as refused:
                log.warning("file %s is not finished: %s", file.id, refused.message)

    async def _give_up_abandoned(self, before: int) -> None:
        quiet = set(self._spool.older_than(before / 1000))
        for name in quiet:
            file = await self._records.get(name)
            if file is None or file.state in ("ready", "cancelled", "failed"):
                self._forget(name)
        for file in await self._records.stale("uploading", before):
            # Bytes land without touching the row: the spool knows better.
            if file.id in quiet or not self._landings.offset(file.id):
                with contextlib.suppress(Refused):  # it was finished this moment
                    await self._files.give_up(file)

    def _forget(self, file: str) -> None:
        if self._landings.get(file) is None:
            self._landings.forget(file)

    async def _forget_unkept(self, before: int) -> None:
        for file in await self._records.stale("ready", before):
            if file.room is not None:
                await self._records.delete(file.id)
        for state in ("cancelled", "failed"):
            # Kept a while, so that the same client_id is told what became of it.
            for file in await self._records.stale(state, before):
                await self._records.delete(file.id)

    async def _forget_withdrawn(self) -> None:
        posted = await self._records.posted(self._looked_at, LOOKED_AT_ONCE)
        for file in posted:
            if await self._rights.withdrawn(file):
                await self._records.delete(file.id)
        self._looked_at = posted[-1].id if len(posted) == LOOKED_AT_ONCE else ""

    async def _delete_orphans(self, before: int) -> None:
        async for key in self._blobs.keys(before):
            app, _, rest = key.partition("/")
            if app == EXPORTS:
                continue
            sha256 = rest.rpartition("/")[2]
            if not await self._records.with_hash(app, sha256, 1):
                await self._blobs.delete(key)
