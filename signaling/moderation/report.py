"""What members report, until somebody has dealt with it."""

from collections.abc import Sequence
from typing import Any, Literal, Protocol

import msgspec

from signaling.model import AuditEntry

State = Literal["open", "resolved"]
Action = Literal["dismiss", "recall", "mute", "kick", "ban", "suspend"]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One member's complaint about one message."""

    id: str
    app: str
    conversation: str
    seq: int
    sender: str
    reporter: str
    reason: str
    snapshot: str | None
    """The message as it was, JSON: `{kind, body, at}`; gone once resolved."""
    at: int
    state: State = "open"
    action: Action | None = None
    resolved_by: str | None = None
    resolved_at: int | None = None
    note: str | None = None


class ReportStore(Protocol):
    """The queue."""

    async def put(self, report: Report) -> tuple[Report, bool]:
        """Insert, or the one this reporter made before about the message; whether it is new."""

    async def get(self, app: str, report: str) -> Report | None: ...

    async def page(
        self, app: str, conversation: str | None, state: State, before: str | None, limit: int
    ) -> Sequence[Report]:
        """The newest first, ids below `before`."""

    async def claim(self, app: str, report: str, now: int, until: int) -> bool:
        """Nobody else acts on it until then; False when somebody does or it is not open."""

    async def release(self, report: str) -> None:
        """Nothing came of a claim."""

    async def resolve(self, report: Report, entry: AuditEntry) -> bool:
        """Keep how it ended, if it was open; written down in the same transaction."""

    async def forget(self, app: str, user: str) -> None:
        """What a user said, as it was kept here, and what they reported."""


def view(report: Report) -> dict[str, Any]:
    """On the wire."""
    fields: dict[str, Any] = msgspec.to_builtins(report)
    snapshot = fields.pop("snapshot")
    fields["report"] = fields.pop("id")
    fields["message"] = None if snapshot is None else msgspec.json.decode(snapshot)
    return fields
