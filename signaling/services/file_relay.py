"""Files for the SFU's data channels: the FileStore that `media` asks for, on the Files service."""

from collections.abc import Callable
from typing import Any

from media.errors import MediaError
from signaling.errors import Refused
from signaling.model import Identity
from signaling.services.files import Download, Files
from signaling.services.landing import Upload

Who = Callable[[str, str], Identity | None]
"""(room, participant) -> who that is; None when there is no such Participant any more."""


class RelayUpload:
    """An Upload that raises MediaError."""

    def __init__(self, upload: Upload) -> None:
        # passed in
        self._upload = upload

    @property
    def offset(self) -> int:
        """The first byte that is missing."""
        return self._upload.offset

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        return self._upload.size

    async def write(self, offset: int, data: bytes) -> None:
        """Keep `data`. Raises MediaError."""
        try:
            await self._upload.write(offset, data)
        except Refused as refused:
            raise MediaError(refused.code, refused.message) from refused

    async def finish(self) -> dict[str, Any]:
        """Check and post; what the sender is told. Raises MediaError."""
        try:
            file = await self._upload.finish()
        except Refused as refused:
            raise MediaError(refused.code, refused.message) from refused
        return {**file.to_body(), "conversation": file.conversation, "seq": file.seq}

    def close(self) -> None:
        """Stop writing."""
        self._upload.close()


class RelayDownload:
    """A Download that raises MediaError."""

    def __init__(self, download: Download) -> None:
        # passed in
        self._download = download

    async def read(self, limit: int) -> bytes:
        """The next bytes; empty at the end. Raises MediaError."""
        try:
            return await self._download.read(limit)
        except Refused as refused:
            raise MediaError(refused.code, refused.message) from refused

    async def close(self) -> None:
        """Let go."""
        await self._download.close()


class FileRelay:
    """See media.relay.files.FileStore."""

    def __init__(self, files: Files, who: Who) -> None:
        # passed in
        self._files = files
        self._who = who

    async def begin(self, room: str, participant: str, file: str) -> RelayUpload:
        """The right to write. Raises MediaError."""
        try:
            return RelayUpload(await self._files.begin(self._known(room, participant), file))
        except Refused as refused:
            raise MediaError(refused.code, refused.message) from refused

    async def open(self, room: str, participant: str, file: str, offset: int) -> RelayDownload:
        """Bytes from an offset. Raises MediaError."""
        try:
            return RelayDownload(await self._download(room, participant, file, offset))
        except Refused as refused:
            raise MediaError(refused.code, refused.message) from refused

    async def _download(self, room: str, participant: str, file: str, offset: int) -> Download:
        found = await self._files.readable(self._known(room, participant), file)
        if offset > found.size:
            raise Refused("bad_request", f"the file has {found.size} bytes")
        return await self._files.open(found, offset, found.size)

    def _known(self, room: str, participant: str) -> Identity:
        who = self._who(room, participant)
        if who is None:
            raise Refused("forbidden", "no such participant")
        return who
