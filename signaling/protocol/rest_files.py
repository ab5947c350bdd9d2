"""REST paths whose bodies are no JSON: the bytes of files."""

from typing import Any

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
                    "content": {"application/json": {"schema": {"type": "object"}}},
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
