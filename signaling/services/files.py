"""Files: offered, landing, kept, fetched."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Protocol

from msgspec.structs import replace

from signaling import ids
from signaling.errors import Refused
from signaling.model import Identity
from signaling.ports import BlobStore, Clock
from signaling.protocol.files import FileCancel, FileFetch, FileFetched, FileOffer, FileOffered
from signaling.services.file_finish import FileFinish
from signaling.services.file_news import FileNews
from signaling.services.file_record import File, FileRecords
from signaling.services.file_rights import FileRights, FileRooms
from signaling.services.file_rules import checked_name, checked_type
from signaling.services.landing import Following, Landing, Upload
from signaling.services.landings import Landings
from signaling.services.links import Links

CHUNK_BYTES = 48 * 1024
"""Of one data channel message; with its offset it stays below the 64 KiB aiortc announces."""

HELD_MS = 15 * 1000
"""A row that says where the bytes land is not written again for so long."""


@dataclass(frozen=True, slots=True)
class FileLimits:
    """What one App, and one User of it, may keep here."""

    file_bytes: int = 2 * 1024**3
    app_files_bytes: int = 20 * 1024**3
    unfinished: int = 100
    """Uploads of one User that are not complete."""
    link_lifetime_ms: int = 15 * 60 * 1000


class Download(Protocol):
    """Bytes of a file in order, from where it was opened."""

    async def read(self, limit: int) -> bytes:
        """At most `limit` bytes, waiting for some; empty at the end. Raises Refused."""

    async def close(self) -> None: ...


class Stored:
    """Reads a blob as a Download."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        # passed in
        self._chunks = chunks
        # made here
        self._left = memoryview(b"")

    async def read(self, limit: int) -> bytes:
        """At most `limit` bytes; empty at the end. Raises Refused."""
        if not self._left:
            self._left = memoryview(await anext(self._chunks, b""))
        data, self._left = bytes(self._left[:limit]), self._left[limit:]
        return data

    async def close(self) -> None:
        """End the read of the store."""
        closing = getattr(self._chunks, "aclose", None)
        if closing is not None:
            await closing()


class Files:
    """Answers `file:offer`, `file:fetch`, `file:cancel`, and moves bytes for HTTP and channels."""

    def __init__(
        self,
        records: FileRecords,
        blobs: BlobStore,
        landings: Landings,
        rights: FileRights,
        rooms: FileRooms,
        finish: FileFinish,
        news: FileNews,
        links: Links,
        clock: Clock,
        limits: FileLimits,
    ) -> None:
        # passed in
        self._records = records
        self._blobs = blobs
        self._landings = landings
        self._rights = rights
        self._rooms = rooms
        self._finish = finish
        self._news = news
        self._links = links
        self._clock = clock
        self._limits = limits
        # filled at composition
        self.allowed_bytes: Callable[[str], int | None] = lambda _app: None
        """What an app's plan says about all its files together."""

    async def offer(self, who: Identity, request: FileOffer) -> FileOffered:
        """`file:offer`. Raises Refused: bad_request, too_large, quota_exceeded, forbidden,
        not_found, rate_limited, conflict."""
        conversation = await self._rights.may_offer(who, request.conversation, request.room)
        asked = self._asked(who, request, conversation)
        await self._check_limits(asked)
        file = await self._records.create(asked, self._most(asked.app))
        if file.fingerprint != asked.fingerprint:
            raise Refused("conflict", "client_id was used for another file")
        if file.state in ("cancelled", "failed"):
            raise Refused("conflict", f"this upload {file.state}; offer it with a new client_id")
        file = await self._without_bytes(who, file)
        complete = file.state != "uploading"
        offset = file.size if complete else self._landings.offset(file.id)
        if not complete:
            await self._news.progress(file, offset)
        return FileOffered(
            file=file.id, chunk_size=CHUNK_BYTES, offset=offset, upload_url=path_of(file.id)
        )

    async def fetch(self, who: Identity, request: FileFetch) -> FileFetched:
        """`file:fetch`. Raises Refused: not_found, bad_request beyond the end."""
        file = await self._rights.readable(who, request.file)
        if request.offset > file.size:
            raise Refused("bad_request", f"the file has {file.size} bytes")
        if file.state in ("cancelled", "failed"):
            raise Refused("not_found", f"the upload {file.state}")
        channel = request.channel and await self._rooms.send_file(who, file.id, request.offset)
        expires_at = self._clock() + self._limits.link_lifetime_ms
        thumbnail = bool(file.image and file.image.get("thumbnail"))
        return FileFetched(
            download_url=self._links.sign(path_of(file.id), expires_at),
            sha256=file.sha256,
            size=file.size,
            name=file.name,
            type=file.type,
            channel=channel,
            thumbnail_url=self._links.sign(thumbnail_path_of(file.id), expires_at)
            if thumbnail
            else None,
        )

    async def cancel(self, who: Identity, request: FileCancel) -> dict[str, object]:
        """`file:cancel`; again is nothing. Raises Refused: not_found, forbidden, conflict."""
        file = await self._rights.own(who, request.file)
        await self.give_up(file)
        return {}

    async def give_up(self, file: File) -> None:
        """End an upload that is not complete. Raises Refused conflict when it is."""
        if file.state == "cancelled":
            return
        cancelled = replace(file, state="cancelled", touched_at=self._clock())
        if file.state != "uploading" or not await self._records.replace(cancelled, "uploading"):
            raise Refused("conflict", "the file is complete")
        self._landings.forget(file.id)
        await self._news.ended(cancelled)

    async def begin(self, who: Identity, file_id: str) -> Upload:
        """The right to write a file's bytes, taken from whoever had it.

        Raises Refused: not_found, forbidden, conflict when it is complete.
        """
        file = await self._rights.own(who, file_id)
        if file.state != "uploading":
            raise Refused("conflict", f"the file is {file.state}")
        landing = self._landings.acquire(await self._held(file))
        upload = Upload(landing, self._on_landed, self._finish.landed, self._landings.release)
        try:
            async with landing.lock:  # what the writer before us is just writing lands first
                landing.writer = upload
        except BaseException:
            upload.close()
            raise
        return upload

    async def status(self, who: Identity, file_id: str) -> tuple[File, int]:
        """One's own file and how many of its bytes are here; goes on finishing it if it has all.

        Raises Refused: not_found, forbidden, and what finishing raises.
        """
        file = await self._rights.own(who, file_id)
        if file.state == "uploading":
            return file, self._landings.offset(file.id)
        return await self._without_bytes(who, file), file.size

    async def readable(self, who: Identity, file_id: str) -> File:
        """A file this User may read. Raises Refused not_found."""
        return await self._rights.readable(who, file_id)

    def left_ms(self, exp: str) -> int:
        """How long a link that was checked is still good."""
        return int(exp) * 1000 - self._clock()

    async def linked(self, file_id: str, path: str, exp: str, sig: str) -> File:
        """The file a signed link is for. Raises Refused: forbidden, not_found."""
        self._links.check(path, exp, sig, self._clock())
        file = await self._records.get(file_id)
        if file is None or file.state in ("cancelled", "failed"):
            raise Refused("not_found", "no such file")
        if await self._rights.withdrawn(file):
            raise Refused("not_found", "its message was recalled")
        return file

    async def open(self, file: File, start: int, end: int) -> Download:
        """Bytes [start, end): what is there and, while it lands, what comes. Raises Refused."""
        if file.state in ("uploading", "storing"):
            if self._landings.elsewhere(file):
                raise Refused("unavailable", "it is landing on another node; come when it is ready")
            landing = self._landings.acquire(file)
            now = await self._records.get(
                file.id
            )  # it may have been finished since `file` was read
            if landing.spool.landed or (now is not None and now.state == "uploading"):
                return Following(landing, start, end, self._landings.release)
            self._landings.forget(file.id)
            self._landings.release(landing)
            file = now or file
        if file.state == "ready":
            return Stored(self._blobs.read(file.blob, start, end))
        raise Refused("not_found", f"the upload {file.state}")

    def thumbnail(self, file: File) -> AsyncIterator[bytes]:
        """The bytes of its thumbnail, WebP. Raises Refused not_found."""
        if not (file.image and file.image.get("thumbnail")):
            raise Refused("not_found", "this file has no thumbnail")
        return self._blobs.read(file.thumbnail, 0, 2**31)

    async def _held(self, file: File) -> File:
        """Say that its bytes land here, unless that was said a moment ago."""
        here, now = self._landings.spool, self._clock()
        if file.spool == here and now - file.touched_at < HELD_MS:
            return file
        if not await self._records.hold(file.id, here, now):
            raise Refused("conflict", "the upload is over")
        return replace(file, spool=here, touched_at=now)

    async def _on_landed(self, file: File, offset: int) -> None:
        await self._news.progress(file, offset)

    def _asked(self, who: Identity, request: FileOffer, conversation: str | None) -> File:
        now = self._clock()
        return File(
            id=ids.new("f"),
            app=who.app,
            sender=who.user,
            client_id=request.client_id,
            conversation=conversation,
            room=request.room,
            name=checked_name(request.name),
            size=request.size,
            type=checked_type(request.type),
            sha256=request.sha256.lower(),
            created_at=now,
            touched_at=now,
            admin=who.grants.admin,
        )

    async def _check_limits(self, file: File) -> None:
        if file.size > self._limits.file_bytes:
            raise Refused("too_large", f"a file has at most {self._limits.file_bytes} bytes")
        if await self._records.find(file.app, file.sender, file.client_id) is not None:
            return  # counted already
        if await self._records.unfinished(file.app, file.sender) >= self._limits.unfinished:
            raise Refused("rate_limited", "too many unfinished uploads; finish or cancel some")

    def _most(self, app: str) -> int:
        """Bytes of all files of an app."""
        allowed, most = self.allowed_bytes(app), self._limits.app_files_bytes
        return most if allowed is None else min(most, allowed)

    async def _without_bytes(self, who: Identity, file: File) -> File:
        """Finish what needs no upload: empty files, known bytes, what a crash left half done."""
        if file.state == "storing" or (file.state == "ready" and file.seq is None):
            return await self._again(file)
        if file.state != "uploading":
            return file
        if file.size == 0:
            return await self._empty(who, file)
        for twin in await self._records.with_hash(file.app, file.sha256):
            # Knowing a hash must not be enough to get the bytes.
            if (
                twin.state == "ready"
                and twin.size == file.size
                and await self._rights.may_read(who, twin)
                and not await self._rights.withdrawn(twin)
                and await self._blobs.size(twin.blob) == twin.size
            ):
                known = await self._finish.known(file, twin)
                if known is not None:
                    return known
        return file

    async def _empty(self, who: Identity, file: File) -> File:
        upload = await self.begin(who, file.id)
        try:
            return await upload.finish()
        finally:
            upload.close()

    async def _again(self, file: File) -> File:
        landing: Landing | None = self._landings.get(file.id)
        if file.conversation is None or landing is not None:
            return file  # a Room's file has no message; one that is open is being finished now
        return await self._finish.again(file)


def path_of(file: str) -> str:
    """Where a file is on this host."""
    return f"/v1/files/{file}"


def thumbnail_path_of(file: str) -> str:
    """Where its thumbnail is."""
    return f"/v1/files/{file}/thumbnail"
