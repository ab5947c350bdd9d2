"""Who wants to hear of an app's events, and what they are told."""

import hashlib
import hmac
import secrets
from collections.abc import Collection
from typing import Protocol

import msgspec

from signaling import ids
from signaling.auth.registry import now_ms
from signaling.auth.sealing import MasterKey

MAX_PER_APP = 20


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription of an app's server."""

    id: str
    app: str
    url: str
    events: tuple[str, ...]
    """Event types; a final `*` matches any rest (`message:*`, `*`)."""
    sealed: bytes
    """The signing secret under the master key."""
    created_at: int
    failing_since: int | None = None
    """Nothing was taken since the failure then; None while it takes deliveries."""
    disabled_at: int | None = None
    """It failed for too long, and is told nothing until it is enabled."""

    def wants(self, event_type: str) -> bool:
        """Whether this type is among the subscribed ones, and it is told anything at all."""
        return self.disabled_at is None and any(
            event_type.startswith(wish[:-1]) if wish.endswith("*") else event_type == wish
            for wish in self.events
        )


def new_webhook(
    master: MasterKey, app: str, url: str, events: tuple[str, ...]
) -> tuple[Webhook, str]:
    """One with a fresh secret, and that secret: it is shown once."""
    identity, secret = ids.new("wh"), secrets.token_urlsafe(32)
    sealed = master.seal(secret.encode(), identity)
    hook = Webhook(id=identity, app=app, url=url, events=events, sealed=sealed, created_at=now_ms())
    return hook, secret


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One event on its way to one webhook."""

    id: str
    webhook: str
    app: str
    conversation: str
    position: int
    type: str
    body: str
    """JSON, as it is signed and sent."""
    attempts: int = 0
    queued_at: int = msgspec.field(default_factory=now_ms)
    """It may wait so long and no longer; see schedule.HORIZON_MS."""
    dead_at: int | None = None
    error: str | None = None


class Webhooks(Protocol):
    """Subscriptions, kept."""

    async def put(self, webhook: Webhook) -> None:
        """Insert. Raises Refused not_found for an unknown app."""

    async def remove(self, app: str, webhook: str) -> bool:
        """Delete it with what it was still owed; False when there was none."""

    async def of_app(self, app: str) -> list[Webhook]:
        """Oldest first."""

    async def all(self) -> list[Webhook]:
        """Of every app."""

    async def failing(self, webhook: str, since: int) -> None:
        """It took nothing; the first time counts."""

    async def well(self, webhook: str) -> None:
        """It takes deliveries again."""

    async def disable(self, webhook: str, at: int, error: str, failing_by: int) -> bool:
        """No more deliveries, and those it is owed are dead letters; False when it was already, or
        has taken something after `failing_by`.
        """

    async def enable(self, app: str, webhook: str) -> bool:
        """It hears of what happens from now on; False when there is none."""


class Outbox(Protocol):
    """Deliveries, kept until they are done or dead. A line is (webhook, conversation)."""

    async def position(self, reader: str) -> int | None:
        """How far a reader of the log has come; None for a new one."""

    async def enqueue(self, reader: str, position: int, deliveries: list[Delivery]) -> None:
        """Insert, and move the reader, in one transaction: nothing is queued twice or left out."""

    async def due(
        self,
        now: int,
        limit: int,
        without: Collection[str] = (),
        without_apps: Collection[str] = (),
    ) -> list[Delivery]:
        """The first open delivery of each line whose time has come; not of these webhooks, apps."""

    async def done(self, delivery: Delivery) -> Delivery | None:
        """It was taken; the next of its line."""

    async def put_off(self, delivery: Delivery, next_at: int, error: str) -> None:
        """It failed once more; those behind it in its line wait with it."""

    async def bury(self, delivery: str, at: int, error: str) -> None:
        """It failed for good; those behind it go on."""

    async def age(self, queued_before: int, at: int, error: str, limit: int) -> int:
        """Bury what waits since before; how many, up to `limit`."""

    async def dead(
        self,
        app: str,
        limit: int,
        webhook: str | None = None,
        before: tuple[int, str] | None = None,
    ) -> list[Delivery]:
        """Dead letters, newest first; of one webhook, or after (dead_at, id) of a page."""

    async def replay(self, app: str, delivery: str, now: int) -> bool:
        """Try a dead letter again from the start; False when there is none."""

    async def replay_all(self, app: str, webhook: str | None, now: int) -> int:
        """Try all of an app, or of one webhook, again; how many."""

    async def forget(self, dead_before: int) -> int:
        """Drop dead letters that old; how many."""


def signature(secret: bytes, timestamp: str, body: bytes) -> str:
    """The value of TokenIM-Signature: `v1=hex(hmac_sha256(secret, timestamp.body))`."""
    signed = timestamp.encode() + b"." + body
    return "v1=" + hmac.new(secret, signed, hashlib.sha256).hexdigest()
