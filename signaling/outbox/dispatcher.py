"""Sends what is due, in order per conversation, and decides what becomes of failures."""

import asyncio
import random
from collections.abc import Callable
from typing import Protocol

from signaling.auth.sealing import SealBroken
from signaling.outbox.schedule import retry_in_ms
from signaling.outbox.webhook import Delivery, Outbox, Webhook, Webhooks, signature
from signaling.ports import Clock

AT_ONCE = 32
"""Deliveries under way: as many conversations or webhooks."""


class PostFailed(Exception):
    """A delivery that was not taken; the message says why."""


class Poster(Protocol):
    """The way out."""

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> None:
        """Returns on 2xx. Raises PostFailed for anything else, a refused target and a timeout."""


class Dispatcher:
    """Posts due deliveries. `open_secret(webhook)` gives its signing secret."""

    def __init__(
        self,
        webhooks: Webhooks,
        outbox: Outbox,
        poster: Poster,
        open_secret: Callable[[Webhook], bytes],
        clock: Clock,
    ) -> None:
        # passed in
        self._webhooks = webhooks
        self._outbox = outbox
        self._poster = poster
        self._open_secret = open_secret
        self._clock = clock
        # made here
        self.delivered_total = 0
        self.failed_total = 0
        self.dead_total = 0

    async def dispatch(self) -> int:
        """Send one round; how many deliveries it had."""
        due = await self._outbox.due(self._clock(), AT_ONCE)
        hooks = {hook.id: hook for hook in await self._webhooks.all()} if due else {}
        await asyncio.gather(
            *(self._deliver(hooks[one.webhook], one) for one in due if one.webhook in hooks)
        )
        return len(due)

    async def _deliver(self, hook: Webhook, delivery: Delivery) -> None:
        try:
            await self._poster.post(hook.url, self._headers(hook, delivery), delivery.body.encode())
        except (PostFailed, SealBroken) as failure:
            await self._failed(delivery, str(failure))
            return
        self.delivered_total += 1
        await self._outbox.done(delivery.id)

    def _headers(self, hook: Webhook, delivery: Delivery) -> dict[str, str]:
        timestamp = str(self._clock())
        signed = signature(self._open_secret(hook), timestamp, delivery.body.encode())
        return {
            "Content-Type": "application/json",
            "TokenIM-Id": delivery.id,
            "TokenIM-Timestamp": timestamp,
            "TokenIM-Attempt": str(delivery.attempts + 1),
            "TokenIM-Signature": signed,
        }

    async def _failed(self, delivery: Delivery, error: str) -> None:
        self.failed_total += 1
        now = self._clock()
        pause = retry_in_ms(delivery.attempts + 1, random.random())  # noqa: S311 - a jitter
        if pause is None:
            self.dead_total += 1
            await self._outbox.bury(delivery.id, now, error)
        else:
            await self._outbox.put_off(delivery.id, now + pause, error)
