"""Messages of data channels as values, and back. Pure; bad bytes raise ValueError."""

import json
import struct
from typing import Final, NamedTuple

LABEL_PREFIX: Final = "file:"
MAX_FILE_ID: Final = 64
CHUNK_MAX_BYTES: Final = 64 * 1024 - 8
"""A chunk and its offset fit the 64 KiB that aiortc announces as max-message-size."""
MAX_TEXT_BYTES: Final = 4096
_OFFSET: Final = struct.Struct("!Q")


class Chunk(NamedTuple):
    """Bytes of a file that begin at `offset`."""

    offset: int
    data: bytes


def pack_chunk(offset: int, data: bytes | memoryview) -> bytes:
    """`u64 offset | bytes`, big endian."""
    return _OFFSET.pack(offset) + data


def parse_chunk(message: bytes) -> Chunk:
    """The other way round. Raises ValueError: no offset, no bytes, too many, or beyond 2^63."""
    if not _OFFSET.size < len(message) <= _OFFSET.size + CHUNK_MAX_BYTES:
        raise ValueError(f"a chunk has 1 to {CHUNK_MAX_BYTES} bytes after its offset")
    (offset,) = _OFFSET.unpack_from(message)
    if offset + len(message) >= 2**63:
        raise ValueError("the offset is beyond any file")
    return Chunk(offset, message[_OFFSET.size :])


def file_of(label: str) -> str | None:
    """The file a channel `file:<id>` is for; None for other labels."""
    file = label.removeprefix(LABEL_PREFIX)
    if file == label or not 0 < len(file) <= MAX_FILE_ID:
        return None
    return file if file.isascii() and file.replace("_", "").replace("-", "").isalnum() else None


def ok(fields: dict[str, object]) -> str:
    """The last message of a transfer that went well."""
    return json.dumps({"ok": fields}, ensure_ascii=False, separators=(",", ":"))


def error(code: str, message: str, **more: object) -> str:
    """The last message of one that did not."""
    return json.dumps(
        {"error": {"code": code, "message": message, **more}},
        ensure_ascii=False,
        separators=(",", ":"),
    )


def pack_message(participant: str, payload: bytes) -> bytes:
    """A relayed binary message: `u8 length | participant | payload`."""
    sender = participant.encode()
    return bytes((len(sender),)) + sender + payload


def parse_message(message: bytes) -> tuple[str, bytes]:
    """(participant, payload). Raises ValueError."""
    if not message or len(message) < 1 + message[0]:
        raise ValueError("the message ends within its sender")
    end = 1 + message[0]
    return message[1:end].decode(), message[end:]  # UnicodeDecodeError is a ValueError


def text_message(participant: str, text: str) -> str:
    """A relayed text message: `{"participant": …, "data": …}`."""
    return json.dumps(
        {"participant": participant, "data": text}, ensure_ascii=False, separators=(",", ":")
    )
