"""A refusal in the published documents: RFC 9457 over HTTP, its core in acks."""

from typing import Any

from signaling.errors import CODES

ACK_FIELDS = frozenset({"code", "message", "retryable", "retry_after_ms"})
PROBLEM: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "code", "message", "retryable"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"enum": list(CODES)},
        "message": {"type": "string"},
        "retryable": {"type": "boolean"},
        "retry_after_ms": {"type": "integer"},
    },
}
