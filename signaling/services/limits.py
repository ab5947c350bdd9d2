"""How much one caller may ask for."""

from dataclasses import dataclass

from signaling.config import LimitSettings


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of messaging; the names that config has too mean the same there."""

    message_bytes: int = 32 * 1024
    """Of a body as JSON."""
    mentions: int = 100
    group_members: int = 10_000
    missed_events: int = 300
    """Per conversation, in `sync` and `session:ready`."""
    members_at_once: int = 500
    """Added by one request."""
    page: int = 200
    """Events, conversations or members in one answer."""
    detailed_receipts: int = 100
    """Up to this many members everyone sees each member's receipts; above, counts."""
    edits: int = 100
    """Of one message."""
    reactions: int = 1_000
    """On one message, all emoji together."""
    pins: int = 100
    blocks: int = 1_000
    """Users whom one user blocks."""
    scheduled: int = 100
    """Messages of one user that wait for their time."""
    known: int = 1_000
    """Conversations named in one `sync`."""

    @classmethod
    def of(cls, settings: LimitSettings) -> "Limits":
        """What was configured, and the rest as it is."""
        return cls(
            message_bytes=settings.message_bytes,
            mentions=settings.mentions,
            group_members=settings.group_members,
            missed_events=settings.missed_events,
            scheduled=settings.scheduled,
        )
