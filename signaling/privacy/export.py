"""A User's data as one archive: the profile, conversations and messages as JSON, and the files."""

import asyncio
import time
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from signaling.errors import Refused
from signaling.ports import BlobStore, Clock
from signaling.privacy.job import Job, archive_of
from signaling.privacy.personal import Membership, PersonalData
from signaling.privacy.worker import Keep
from signaling.services.file_record import File
from signaling.services.views import conversation_view

PAGE = 200
LIFETIME_MS = 7 * 24 * 3600 * 1000
"""How long an archive can be fetched."""
LEFT_S = 24 * 3600
"""An archive that nobody has written to for so long is nobody's."""

_encode = msgspec.json.Encoder().encode


class Archive:
    """A zip file that is written in steps, off the loop."""

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)

    async def add(self, name: str, chunks: AsyncIterator[bytes]) -> None:
        """One member, as long as it is."""
        member = await asyncio.to_thread(self._zip.open, name, "w", force_zip64=True)
        try:
            async for chunk in chunks:
                await asyncio.to_thread(member.write, chunk)
        finally:
            await asyncio.to_thread(member.close)

    async def close(self) -> None:
        """Write the directory."""
        await asyncio.to_thread(self._zip.close)


class Export:
    """Writes `profile.json`, `conversations.ndjson`, `messages.ndjson`, `marks.ndjson` (edits and
    reactions), `files.ndjson` and `files/<id>/<name>`."""

    def __init__(
        self, personal: PersonalData, blobs: BlobStore, directory: Path, clock: Clock
    ) -> None:
        # passed in
        self._personal = personal
        self._blobs = blobs
        self._directory = directory
        self._clock = clock

    async def run(self, job: Job, keep: Keep) -> Job:
        """See Work."""
        await asyncio.to_thread(self._make_room)
        key = archive_of(job, job.attempts)
        path = self._directory / key.rpartition("/")[2]
        for earlier in range(1, job.attempts):
            await self._blobs.delete(archive_of(job, earlier))
        try:
            archive = await asyncio.to_thread(Archive, path)
            try:
                items = await self._fill(archive, job, keep)
            finally:
                await archive.close()
            await self._blobs.put_file(key, str(path))
        finally:
            await asyncio.to_thread(path.unlink, missing_ok=True)
        expires_at = self._clock() + LIFETIME_MS
        return replace(job, result=key, expires_at=expires_at, items=items)

    def _make_room(self) -> None:
        """What a process that was killed left behind is somebody's data: it goes."""
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in self._directory.glob("*.zip"):
            if left.stat().st_mtime < time.time() - LEFT_S:
                left.unlink(missing_ok=True)

    async def _fill(self, archive: Archive, job: Job, keep: Keep) -> int:
        profile = await self._personal.profile(job.app, job.user)
        await archive.add("profile.json", _once(_encode(profile)))
        await archive.add("conversations.ndjson", self._conversations(job))
        count = Counting(keep)
        await archive.add("messages.ndjson", self._messages(job, count))
        await archive.add("marks.ndjson", self._marks(job, count))
        await archive.add("files.ndjson", self._file_lines(job))
        async for file in self._files(job):
            if file.state == "ready":
                await self._copy(archive, file)
                await count.one_more()
        return count.items

    async def _conversations(self, job: Job) -> AsyncIterator[bytes]:
        async for seat in self._seats(job):
            view = conversation_view(seat.conversation)
            yield _line({"conversation": view, "membership": msgspec.to_builtins(seat.member)})

    async def _seats(self, job: Job) -> AsyncIterator[Membership]:
        after = ""
        while page := await self._personal.memberships(job.app, job.user, after, PAGE):
            for seat in page:
                yield seat
            after = page[-1].conversation.id

    async def _marks(self, job: Job, count: "Counting") -> AsyncIterator[bytes]:
        async for seat in self._seats(job):
            after: int | None = 0
            while after is not None:
                found = await self._personal.marks(seat.conversation.id, job.user, after)
                for event in found.events:
                    yield _line(event.to_wire())
                await count.more(0)
                after = found.next

    async def _messages(self, job: Job, count: "Counting") -> AsyncIterator[bytes]:
        after: str | None = ""
        while after is not None:
            page = await self._personal.sent(job.app, job.user, after, PAGE)
            for event in page.events:
                yield _line(event.to_wire())
            await count.more(len(page.events))
            after = page.next

    async def _file_lines(self, job: Job) -> AsyncIterator[bytes]:
        async for file in self._files(job):
            yield _line({**file.to_body(), "conversation": file.conversation, "seq": file.seq})

    async def _files(self, job: Job) -> AsyncIterator[File]:
        after = ""
        while page := await self._personal.files(job.app, job.user, after, PAGE):
            for file in page:
                yield file
            after = page[-1].id

    async def _copy(self, archive: Archive, file: File) -> None:
        """A file that has been recalled meanwhile is left out."""
        if await self._blobs.size(file.blob) != file.size:
            return
        try:
            await archive.add(
                f"files/{file.id}/{file.name}", self._blobs.read(file.blob, 0, file.size)
            )
        except Refused as refused:
            if refused.code != "not_found":
                raise


class Counting:
    """Counts items and says so to who holds the job."""

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self.items = 0

    async def more(self, count: int) -> None:
        """So many more. Raises LostError."""
        self.items += count
        await self._keep(self.items)

    async def one_more(self) -> None:
        """One more. Raises LostError."""
        await self.more(1)


def _line(value: dict[str, Any]) -> bytes:
    return _encode(value) + b"\n"


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
