"""Requests about files: `file:offer`, `file:fetch`, `file:cancel`."""

from typing import Annotated

import msgspec

MAX_FILE_ID = 64
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-fA-F]{64}$", max_length=64)]
MAX_SIZE_BYTES = 2**53 - 1


class FileOffer(msgspec.Struct, frozen=True, kw_only=True):
    """`file:offer`: bytes to come, for a Conversation or for a standalone Room.

    Answered by `FileOffered`. Asking again with the same `client_id` resumes the same file.
    """

    client_id: Id
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
    size: Annotated[int, msgspec.Meta(ge=0, le=MAX_SIZE_BYTES)]
    sha256: Sha256
    type: Annotated[str, msgspec.Meta(max_length=255)] = "application/octet-stream"
    conversation: Id | None = None
    room: Id | None = None


class FileOffered(msgspec.Struct, frozen=True, kw_only=True):
    """Where the bytes go: by a data channel `file:<file>`, or by PUT to `upload_url`."""

    file: str
    chunk_size: int
    """Most bytes in one data channel message, after its offset."""
    offset: int
    """Where to go on. Equal to the size when nothing need be sent: the bytes were known."""
    upload_url: str


class FileFetch(msgspec.Struct, frozen=True, kw_only=True):
    """`file:fetch`: bytes wanted, from an offset."""

    file: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_FILE_ID)]
    offset: Annotated[int, msgspec.Meta(ge=0, le=MAX_SIZE_BYTES)] = 0
    channel: bool = True
    """Whether the server shall open a data channel, where this Device is in a Room."""


class FileFetched(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where the bytes come from: a link that works without a header until it expires."""

    download_url: str
    sha256: str
    size: int
    name: str
    type: str
    channel: bool = False
    """The server is opening the data channel `file:<file>` on `subscribe`."""
    thumbnail_url: str | None = None


class FileCancel(msgspec.Struct, frozen=True, kw_only=True):
    """`file:cancel`: the sender gives up an upload that is not complete."""

    file: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_FILE_ID)]
