"""What happens outside the log and webhooks want to hear: it waits until the outbox took it."""

from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from signaling import ids
from signaling.outbox.webhook import Delivery, Webhook, Webhooks

PAGE = 500


class News(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened. A later one of the same (app, type, subject) replaces it while it
    waits.
    """

    app: str
    type: str
    line: str
    """Those of one line are delivered in order."""
    subject: str
    data: dict[str, Any]
    number: int = 0
    """Its place among all news; given when it is put."""


class NewsStore(Protocol):
    """Waiting news, durable. What no webhook of the app wants is not kept."""

    async def put(self, news: News) -> None:
        """On disk when it returns."""

    async def take(
        self, limit: int, deliveries_of: Callable[[list[Webhook], News], list[Delivery]]
    ) -> int:
        """Turn the oldest into deliveries and forget them, in one transaction; how many."""


class Wanted:
    """Which event types an app's webhooks want: so that unwanted news cost nothing.

    Refreshed now and then: a new webhook hears of what is not in the log after a few seconds.
    """

    def __init__(self, webhooks: Webhooks) -> None:
        # passed in
        self._webhooks = webhooks
        # made here
        self._hooks: dict[str, list[Webhook]] = {}

    async def refresh(self) -> None:
        """Read them again."""
        hooks: dict[str, list[Webhook]] = {}
        for hook in await self._webhooks.all():
            hooks.setdefault(hook.app, []).append(hook)
        self._hooks = hooks

    def __call__(self, app: str, event_type: str) -> bool:
        """Whether anybody does."""
        return any(hook.wants(event_type) for hook in self._hooks.get(app, ()))


def deliveries_of(hooks: list[Webhook], news: News) -> list[Delivery]:
    """One for each webhook that wants it, with an id that follows from both."""
    return [_delivery(hook, news) for hook in hooks if hook.wants(news.type)]


def _delivery(hook: Webhook, news: News) -> Delivery:
    identity = ids.of("wd", (hook.id, news.type, str(news.number)))
    body = {"id": identity, "type": news.type, "app": news.app, "data": news.data}
    return Delivery(
        id=identity,
        webhook=hook.id,
        app=news.app,
        conversation=news.line,
        position=news.number,
        type=news.type,
        body=msgspec.json.encode(body).decode(),
    )
