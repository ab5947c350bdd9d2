"""Who is woken up, by what, and where that is kept until it is sent."""

from collections.abc import Collection, Sequence
from typing import Any, Protocol

import msgspec

from signaling.model import Conversation, Event
from signaling.outbox.webhook import Delivery

PUSH = "push"
"""Type of the webhook event that apps pass on to FCM or APNs."""
TEXT_MAX = 140
"""Characters of a message that a notification shows."""
MESSAGE_KEPT_MS = 3 * 86_400_000


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """A browser that can be woken up. Its id follows from app and endpoint."""

    id: str
    app: str
    user: str
    device: str
    endpoint: str
    p256dh: str
    auth: str
    created_at: int


class Push(msgspec.Struct, frozen=True, kw_only=True):
    """One notification on its way to one browser."""

    id: str
    subscription: str
    app: str
    body: str
    """JSON, before it is encrypted."""
    topic: str
    """A later one of the same topic replaces it at the push service (RFC 8030 section 5.4)."""
    urgent: bool = False
    expires_at: int
    attempts: int = 0
    next_at: int = 0


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A member who may want to know."""

    user: str
    read: int
    preferences: dict[str, Any]
    subscriptions: tuple[Subscription, ...] = ()


class Subscriptions(Protocol):
    """Browsers, kept."""

    async def put(self, subscription: Subscription, most: int) -> None:
        """Insert or replace: a browser belongs to who used it last. Of a user's only the newest
        `most` are kept."""

    async def remove(self, app: str, user: str, endpoint: str) -> bool:
        """False when there was none."""

    async def drop(self, subscription: str) -> None:
        """The push service does not know it any more; what was on its way goes too."""

    async def of(self, app: str, user: str) -> list[Subscription]:
        """A user's, oldest first."""


class Pushes(Protocol):
    """Notifications, kept until they are sent or over."""

    async def anybody(self) -> bool:
        """Whether there is a subscription at all."""

    async def any(self, apps: Collection[str]) -> set[str]:
        """Those of the apps that have a subscription."""

    async def targets(
        self, conversation: str, sender: str, *, subscribed: bool, limit: int
    ) -> list[Target]:
        """Members but the sender and those who block them; only `subscribed` ones if so asked."""

    async def enqueue(
        self, reader: str, position: int, pushes: list[Push], deliveries: list[Delivery]
    ) -> None:
        """Insert both, and move the reader of the log, in one transaction."""

    async def add(self, pushes: list[Push]) -> None:
        """Insert what does not come from the log."""

    async def due(
        self, now: int, limit: int, without: Sequence[str] = ()
    ) -> list[tuple[Push, Subscription]]:
        """Those whose time has come, not of apps `without`; what is over is dropped."""

    async def done(self, push: str) -> None:
        """Sent, or given up."""

    async def put_off(self, push: str, next_at: int) -> None:
        """It failed once more."""


def wants(target: Target, event: Event, now: int) -> bool:
    """Whether a member's settings let this message wake them."""
    if target.read >= event.seq:
        return False
    return _heard(target, now) and (
        target.preferences.get("notify", "all") == "all" or mentioned(target, event)
    )


def wants_ring(target: Target, now: int) -> bool:
    """Whether a member's settings let a call wake them."""
    return _heard(target, now)


def _heard(target: Target, now: int) -> bool:
    silent = target.preferences.get("silent_until") or 0
    return silent <= now and target.preferences.get("notify", "all") != "none"


def mentioned(target: Target, event: Event) -> bool:
    """Whether a message names the member, or everyone."""
    return not {target.user, "*"}.isdisjoint(event.data.get("mentions") or ())


def message_payload(conversation: Conversation, event: Event) -> dict[str, Any]:
    """What a notification of a message shows."""
    name = event.data.get("sender_name") or event.sender
    return {
        "type": "message",
        "app": conversation.app,
        "conversation": conversation.id,
        "title": conversation.title or name,
        "body": _excerpt(event.data),
        "kind": event.data.get("kind"),
        "sender": event.sender,
        "sender_name": name,
        "seq": event.seq,
        "at": event.at,
    }


def _excerpt(data: dict[str, Any]) -> str:
    body = data.get("body") or {}
    text = body.get("text") or body.get("name") or ""
    if not isinstance(text, str):
        return ""
    return text if len(text) <= TEXT_MAX else text[: TEXT_MAX - 1] + "…"


def call_payload(conversation: Conversation, call: dict[str, Any], name: str) -> dict[str, Any]:
    """What a notification of a call shows."""
    return {
        "type": "call",
        "app": conversation.app,
        "conversation": conversation.id,
        "call": call["id"],
        "media": call["media"],
        "title": conversation.title or name,
        "body": name,
        "sender": call["caller"],
        "sender_name": name,
        "at": call["started_at"],
    }
