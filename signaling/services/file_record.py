"""A file as services see it, and the store that keeps its row."""

from typing import Any, Literal, Protocol

import msgspec

State = Literal["uploading", "storing", "ready", "cancelled", "failed"]
"""uploading -> storing -> ready; uploading -> cancelled; storing -> failed.

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
    """When its state or its bytes last changed."""

    @property
    def fingerprint(self) -> tuple[object, ...]:
        """What the same `client_id` must come with again."""
        return (self.conversation, self.room, self.name, self.size, self.type, self.sha256)

    @property
    def blob(self) -> str:
        """Key of its bytes: the same bytes of one App are kept once."""
        return f"{self.app}/{self.sha256[:2]}/{self.sha256}"

    @property
    def thumbnail(self) -> str:
        """Key of its thumbnail."""
        return f"{self.app}/thumbnails/{self.sha256[:2]}/{self.sha256}"

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


class FileRecords(Protocol):
    """The rows of files. What a method answered is on disk."""

    async def create(self, file: File) -> File:
        """Insert, or give back the one with this (app, sender, client_id)."""

    async def get(self, file: str) -> File | None: ...

    async def find(self, app: str, sender: str, client_id: str) -> File | None:
        """The file of an offer."""

    async def replace(self, file: File, expected: State) -> bool:
        """Replace the row if its state is still `expected`; False when it is another by now."""

    async def with_hash(self, app: str, sha256: str, limit: int = 20) -> list[File]:
        """Files, `ready` or `storing`, that these bytes belong to; newest first."""

    async def stored_bytes(self, app: str) -> int:
        """Distinct bytes kept for an App, and those promised to uploads."""

    async def unfinished(self, app: str, sender: str) -> int:
        """How many uploads of a User are not complete."""

    async def stale(self, state: State, before: int, limit: int = 100) -> list[File]:
        """Files in a state since before a time, longest first. `ready` means: without a message."""

    async def posted(self, after: str, limit: int) -> list[File]:
        """Files that have a message, ordered by id."""

    async def delete(self, file: str) -> None: ...
