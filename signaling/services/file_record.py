"""A file as services see it, and the store that keeps its row."""

from collections.abc import Sequence
from typing import Any, Literal, Protocol

import msgspec

THUMBNAILS = "thumbnails"

State = Literal["uploading", "storing", "ready", "cancelled", "failed"]
"""uploading -> storing -> ready; uploading -> ready for bytes that are kept already;
uploading -> cancelled; storing -> failed.

`storing` has all its bytes, with the right sha256. A wrong one goes back to the start.
"""


class File(msgspec.Struct, frozen=True, kw_only=True):
    """One offer of bytes by a User to a Conversation or a Room."""

    id: str
    app: str
    sender: str
    client_id: str
    conversation: str | None
    room: str | None
    name: str
    size: int
    type: str
    sha256: str
    state: State = "uploading"
    seq: int | None = None
    """Of its message; None before, and for files of a Room."""
    image: dict[str, Any] | None = None
    """`{width, height, blurhash, thumbnail}` of a picture."""
    created_at: int
    touched_at: int
    """When its state or its bytes last changed; while it is being finished, seconds ago at most."""
    admin: bool = False
    """Offered with the rights of an administrator of the app, and posted with them."""
    spool: str | None = None
    """Id of the spool its bytes land in; None before the first."""
    blob: str = ""
    """Key of its bytes, from `storing` on; files of the same bytes share one where they can."""

    @property
    def fingerprint(self) -> tuple[object, ...]:
        """What the same `client_id` must come with again."""
        return (self.conversation, self.room, self.name, self.size, self.type, self.sha256)

    @property
    def own_blob(self) -> str:
        """The key its bytes get when no other file has them. No other file ever gets it, so a key
        that no file has will never be had again: it is safe to delete whenever that is seen."""
        return f"{self.app}/{self.sha256[:2]}/{self.sha256}-{self.id}"

    @property
    def thumbnail(self) -> str:
        """Key of its thumbnail."""
        return thumbnail_of(self.blob)

    def to_body(self) -> dict[str, Any]:
        """The body of its message."""
        body: dict[str, Any] = {
            "file": self.id,
            "name": self.name,
            "size": self.size,
            "type": self.type,
            "sha256": self.sha256,
        }
        return {**body, "image": self.image} if self.image else body


def thumbnail_of(blob: str) -> str:
    """The key of a blob's thumbnail."""
    app, _, rest = blob.partition("/")
    return f"{app}/{THUMBNAILS}/{rest}"


def blob_of(key: str) -> str:
    """The blob a key in the store belongs to: itself, or what it is the thumbnail of."""
    app, _, rest = key.partition("/")
    folder, _, inner = rest.partition("/")
    return f"{app}/{inner}" if folder == THUMBNAILS else key


class FileRecords(Protocol):
    """The rows of files. What a method answered is on disk; writes happen one after the other."""

    async def create(self, file: File, most: int | None = None) -> File:
        """Insert, or give back the one with this (app, sender, client_id). Raises Refused
        quota_exceeded when the app's files would weigh more than `most` bytes with it."""

    async def get(self, file: str) -> File | None: ...

    async def find(self, app: str, sender: str, client_id: str) -> File | None:
        """The file of an offer."""

    async def replace(self, file: File, expected: State) -> bool:
        """Replace the row if its state is still `expected`; False when it is another by now."""

    async def hold(self, file: str, spool: str, now: int) -> bool:
        """Its bytes land in this spool from now on; False when it is not `uploading` any more."""

    async def touch(self, files: Sequence[str], now: int) -> None:
        """They are at work, or tried: nobody need look at them for a while."""

    async def keep(self, file: File, now: int) -> File | None:
        """uploading -> storing, with the blob of a `ready` file of the same bytes, else its own;
        None when it is not `uploading` any more."""

    async def adopt(self, file: File, twin: File, now: int) -> File | None:
        """uploading -> ready, with the twin's blob; None unless both still are as they were."""

    async def abandon(self, file: File, before: int, now: int) -> File | None:
        """uploading -> cancelled, if nothing has moved since `before`; else None."""

    async def with_hash(self, app: str, sha256: str, limit: int = 20) -> list[File]:
        """Files, `ready` or `storing`, that these bytes belong to; newest first."""

    async def unreferenced(self, blobs: Sequence[str]) -> list[str]:
        """Those that no file has; none ever will again."""

    async def stored_bytes(self, app: str) -> int:
        """Distinct bytes kept for an App, and those promised to uploads."""

    async def unfinished(self, app: str, sender: str) -> int:
        """How many uploads of a User are not complete."""

    async def stale(self, state: State, before: int, limit: int = 100) -> list[File]:
        """Files in a state since before a time, longest first. `ready` means: of a Room."""

    async def half_done(self, spool: str, before: int, limit: int = 100) -> list[File]:
        """`storing` out of this spool, and `ready` in a Conversation without a message, untouched
        since before a time."""

    async def stranded(self, spool: str, before: int, limit: int = 1000) -> list[File]:
        """`storing` out of another spool, untouched since before a time."""

    async def withdrawn(self, after: str, limit: int) -> tuple[list[File], str | None]:
        """Of the next `limit` posted files, ordered by id, those whose message is gone or empty;
        and the id to go on from, None at the end."""

    async def delete(self, file: str) -> None: ...
