"""What an app's server sends and gets about webhooks."""

from typing import Annotated, Any

import msgspec


class CreateWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """Post events of these types to this URL."""

    url: Annotated[str, msgspec.Meta(pattern=r"^https?://[^\s]{1,2000}$")]
    events: Annotated[
        tuple[Annotated[str, msgspec.Meta(pattern=r"^([a-z]+:)?([a-z]+|\*)$")], ...],
        msgspec.Meta(min_length=1, max_length=50),
    ] = ("*",)


class WebhookView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A webhook; `secret` is there once, when it is made."""

    webhook: str
    url: str
    events: tuple[str, ...]
    created_at: int
    failing_since: int | None = None
    """It took nothing since then."""
    disabled_at: int | None = None
    """It is told nothing since then, see `POST /v1/webhooks/{webhook}/enable`."""
    secret: str | None = None


class NamedWebhookView(msgspec.Struct, frozen=True, kw_only=True):
    """The webhook it was done to."""

    webhook: str


class NamedDeliveryView(msgspec.Struct, frozen=True, kw_only=True):
    """The delivery it was done to."""

    delivery: str


class DeadLetterView(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that failed for good."""

    delivery: str
    webhook: str
    type: str
    attempts: int
    dead_at: int
    error: str
    body: dict[str, Any]


class ReplayDeadLetters(msgspec.Struct, frozen=True, kw_only=True):
    """Which dead letters to deliver once more; without a webhook, all of the app."""

    webhook: str | None = None


class ReplayedView(msgspec.Struct, frozen=True, kw_only=True):
    """How many."""

    replayed: int
