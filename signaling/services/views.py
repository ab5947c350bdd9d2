"""How conversations, members and events look on the wire."""

from collections.abc import Iterable
from typing import Any

from signaling.horizons import veiled
from signaling.model import Conversation, Event, Member, Standing

PUBLIC_SETTINGS = (
    "history",
    "slow_mode_ms",
    "recall_limit_ms",
    "retention_days",
    "attributes",
    "pins",
)


def conversation_view(conversation: Conversation) -> dict[str, Any]:
    """What everyone who may know of it sees."""
    shown = {
        key: conversation.settings[key] for key in PUBLIC_SETTINGS if key in conversation.settings
    }
    return {
        "id": conversation.id,
        "type": conversation.type,
        "title": conversation.title,
        "alias": conversation.alias,
        "open": conversation.open,
        "created_at": conversation.created_at,
        "created_by": conversation.created_by,
        "head": conversation.head,
        "member_count": conversation.member_count,
        "archived_at": conversation.archived_at,
        "settings": shown,
    }


def member_view(member: Member) -> dict[str, Any]:
    """One member as the others see them."""
    return {
        "user": member.user,
        "name": member.name or member.user,
        "role": member.role,
        "joined_at": member.joined_at,
        "muted_until": member.muted_until,
        "delivered": member.delivered,
        "read": member.read,
    }


def standing_view(standing: Standing, now: int) -> dict[str, Any]:
    """A conversation as one of its members sees it."""
    member = standing.member
    return {
        **conversation_view(standing.conversation),
        "role": member.role,
        "from_seq": member.from_seq,
        "delivered": member.delivered,
        "read": member.read,
        "unread": standing.unread,
        "mentions": standing.mentions,
        "archived": bool(member.preferences.get("archived")),
        "pinned": bool(member.preferences.get("pinned")),
        "silent_until": member.preferences.get("silent_until"),
        "notify": member.preferences.get("notify", "all"),
        "muted_until": member.muted_until,
        "last_event": event_view(standing.last, now, member.from_seq) if standing.last else None,
    }


def event_view(event: Event, now: int, from_seq: int = 0) -> dict[str, Any]:
    """An event as it stands now, for who sees from `from_seq`: a message past its time has no
    body, nor has an edit of one they do not see.
    """
    wire = veiled(event.to_wire(), from_seq)
    expires_at = wire.get("expires_at")
    if expires_at is not None and expires_at <= now:
        wire["body"] = None
        wire["expired"] = True
    return wire


def event_views(events: Iterable[Event], now: int, from_seq: int = 0) -> list[dict[str, Any]]:
    """Several."""
    return [event_view(event, now, from_seq) for event in events]
