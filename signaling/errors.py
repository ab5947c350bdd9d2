"""What goes wrong by the caller's doing, in stable words (see docs/protocol.md, Errors)."""

from typing import Literal, get_args

Code = Literal[
    "bad_request",
    "unauthorized",
    "forbidden",
    "not_found",
    "conflict",
    "too_large",
    "rate_limited",
    "quota_exceeded",
    "unavailable",
    "timeout",
    "unsupported",
    "internal",
]

CODES: tuple[str, ...] = get_args(Code)

RETRYABLE = frozenset({"rate_limited", "unavailable", "timeout", "internal"})


class Refused(Exception):
    """A request that is not carried out. The only exception a service raises for bad input.

    `retryable` says whether the same request may succeed later without a change; by default it
    follows from the code. `retry_after_ms` is when, if known.
    """

    def __init__(
        self,
        code: Code,
        message: str,
        *,
        retryable: bool | None = None,
        retry_after_ms: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code: Code = code
        self.message = message
        self.retryable = code in RETRYABLE if retryable is None else retryable
        self.retry_after_ms = retry_after_ms

    def to_wire(self) -> dict[str, object]:
        """The `error` object of an ack: `{code, message, retryable, retry_after_ms?}`."""
        wire: dict[str, object] = {
            "code": self.code,
            "message": self.message,
            "retryable": self.retryable,
        }
        if self.retry_after_ms is not None:
            wire["retry_after_ms"] = self.retry_after_ms
        return wire
