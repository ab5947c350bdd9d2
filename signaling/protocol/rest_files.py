"""REST paths whose bodies are no JSON: the bytes of files."""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from signaling.protocol.naming import reference
from signaling.protocol.views import ShownImage


class UploadedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is whole and checked."""

    file: str
    name: str
    size: int
    type: str
    sha256: str
    image: ShownImage | UnsetType = UNSET
    conversation: str | None
    """Null for a file of a standalone room."""
    seq: int | None
    """Of its message; null until it is posted."""


_FILE = {
    "name": "file",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
}
_BYTES = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
_WHO: list[dict[str, list[str]]] = [{"token": []}, {"key": []}]
_AS = {"name": "as", "in": "query", "schema": {"type": "string", "minLength": 1, "maxLength": 128}}


def _header(name: str, text: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "description": text, "schema": {"type": "string"}}


FILE_PATHS: dict[str, dict[str, Any]] = {
    "/files/{file}": {
        "put": {
            "operationId": "putFile",
            "summary": "Upload a file's bytes, or a piece of them; `bytes */size` asks how far.",
            "tags": ["files"],
            "parameters": [_FILE, _AS, _header("Content-Range", "`bytes 0-99/1000`; default all.")],
            "requestBody": {"required": True, "content": _BYTES},
            "responses": {
                "201": {
                    "description": "Complete.",
                    "content": {"application/json": {"schema": reference(UploadedFile)}},
                },
                "308": {"description": "`Range` says what is here; go on after it."},
            },
            "security": _WHO,
        },
        "get": {
            "operationId": "getFile",
            "summary": "A file's bytes, or a range of them.",
            "tags": ["files"],
            "parameters": [_FILE, _AS, _header("Range", "`bytes=0-99`.")],
            "responses": {
                "200": {"description": "All.", "content": {"*/*": {}}},
                "206": {"description": "The range.", "content": {"*/*": {}}},
                "304": {"description": "Not changed."},
            },
            "security": _WHO,
        },
    },
    "/files/{file}/thumbnail": {
        "get": {
            "operationId": "getThumbnail",
            "summary": "A small picture of a picture.",
            "tags": ["files"],
            "parameters": [_FILE, _AS],
            "responses": {"200": {"description": "WebP.", "content": {"image/webp": {}}}},
            "security": _WHO,
        },
    },
}
