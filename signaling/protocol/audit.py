"""REST bodies of the audit trail."""

from typing import Any

import msgspec


class RecordView(msgspec.Struct, frozen=True, kw_only=True):
    """One administrative act; docs/operations.md says how `hash` is made."""

    number: int
    at: int
    actor: str
    action: str
    subject: str
    details: dict[str, Any]
    previous: str
    hash: str


class VerdictView(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the trail is as it was written."""

    app: str
    records: int
    """How many hold together from the first on."""
    head: str
    broken_at: int | None = None
    problem: str | None = None
