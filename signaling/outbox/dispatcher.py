"""Sends what is due, in order per line, and decides what becomes of failures."""

import logging
import random
from collections.abc import Awaitable, Callable, Hashable
from typing import Protocol

from signaling.auth.sealing import SealBroken
from signaling.outbox.pool import Pool
from signaling.outbox.schedule import HORIZON_MS, retry_in_ms
from signaling.outbox.webhook import Delivery, Outbox, Webhook, Webhooks, signature
from signaling.ports import Clock

AT_ONCE = 64
"""Lines under way, each with one delivery."""
AT_ONCE_EACH = 8
"""Lines under way of one webhook: a server that is away does not keep others waiting."""
AT_ONCE_APP = 16
"""Lines under way of all webhooks of one app; see HttpPoster."""
DISABLE_AFTER_MS = 24 * 3_600_000
"""A webhook that took nothing for so long, while it was tried, is told nothing any more."""
AGE_PAGE = 500
IN_A_ROW = 100
"""Deliveries of one line before others get its place."""

log = logging.getLogger(__name__)

Line = tuple[str, str]
"""(webhook, conversation)."""


class PostFailed(Exception):
    """A delivery that was not taken; the message says why, `status` what was answered."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Poster(Protocol):
    """The way out."""

    async def post(self, url: str, headers: dict[str, str], body: bytes, owner: str) -> None:
        """Returns on 2xx. Raises PostFailed for anything else, a refused target and a timeout.

        Of one owner's so many are under way at a time, whatever others have under way.
        """


class Dispatcher:
    """Posts due deliveries. `open_secret(webhook)` gives its signing secret.

    `may_send` is asked before every delivery: this node may have lost the lease. `disabled` hears
    of a webhook that failed for too long.
    """

    def __init__(
        self,
        webhooks: Webhooks,
        outbox: Outbox,
        poster: Poster,
        open_secret: Callable[[Webhook], bytes],
        clock: Clock,
        may_send: Callable[[], Awaitable[bool]],
        disabled: Callable[[Webhook], Awaitable[None]],
    ) -> None:
        # passed in
        self._webhooks = webhooks
        self._outbox = outbox
        self._poster = poster
        self._open_secret = open_secret
        self._clock = clock
        self._may_send = may_send
        self._disabled = disabled
        # made here
        self._pool = Pool(AT_ONCE, app=AT_ONCE_APP, webhook=AT_ONCE_EACH)
        self.delivered_total = 0
        self.failed_total = 0
        self.dead_total = 0
        self.disabled_total = 0

    async def dispatch(self) -> int:
        """Begin with the lines that are due; how many were begun, or are to be looked at again."""
        pool = self._pool
        if pool.free <= 0:
            return 0
        before = pool.keys()
        due = await self._outbox.due(
            self._clock(), AT_ONCE + len(pool), pool.full("webhook"), pool.full("app")
        )
        hooks = {hook.id: hook for hook in await self._webhooks.all()} if due else {}
        known = [one for one in due if one.webhook in hooks]
        return sum(self._begin(hooks[one.webhook], one, before) for one in known)

    def _begin(self, hook: Webhook, delivery: Delivery, before: frozenset[Hashable]) -> bool:
        line: Line = (delivery.webhook, delivery.conversation)
        if line in before:
            return self._pool.ended(line)
        if not self._pool.may_begin(line, app=hook.app, webhook=hook.id):
            return False
        work = self._follow(hook, delivery)
        return self._pool.begin(line, work, app=hook.app, webhook=hook.id)

    async def settle(self, timeout_s: float) -> bool:
        """Wait until one of the lines under way ends, or the time is over; False without any."""
        return await self._pool.settle(timeout_s)

    async def _follow(self, hook: Webhook, delivery: Delivery | None) -> None:
        for _ in range(IN_A_ROW):
            if delivery is None or not await self._may_send():
                return
            delivery = await self._deliver(hook, delivery)

    async def _deliver(self, hook: Webhook, delivery: Delivery) -> Delivery | None:
        """The next one of its line, when this one was taken."""
        try:
            headers = self._headers(hook, delivery)
            await self._poster.post(hook.url, headers, delivery.body.encode(), hook.app)
        except (PostFailed, SealBroken) as failure:
            await self._failed(hook, delivery, str(failure))
            return None
        self.delivered_total += 1
        if hook.failing_since is not None:
            await self._webhooks.well(hook.id)
        return await self._outbox.done(delivery)

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

    async def _failed(self, hook: Webhook, delivery: Delivery, error: str) -> None:
        self.failed_total += 1
        now = self._clock()
        if await self._gave_up(hook, now, error):
            return
        pause = retry_in_ms(delivery.attempts + 1, random.random())  # noqa: S311 - a jitter
        if pause is None:
            self.dead_total += 1
            await self._outbox.bury(delivery.id, now, error)
        else:
            await self._outbox.put_off(delivery, now + pause, error)

    async def _gave_up(self, hook: Webhook, now: int, error: str) -> bool:
        """Whether it is disabled by this failure: since `hook` was read, it may have taken some."""
        since, by, why = hook.failing_since, now - DISABLE_AFTER_MS, f"disabled: {error}"
        if since is not None and since > by:
            return False
        if since is None or not await self._webhooks.disable(hook.id, now, why, by):
            await self._webhooks.failing(hook.id, now)
            return False
        self.disabled_total += 1
        log.warning("webhook %s of %s is disabled: %s", hook.id, hook.app, error)
        await self._disabled(hook)
        return True

    async def age(self) -> None:
        """Set aside what waited behind failures for as long as anything is tried."""
        now, aged = self._clock(), AGE_PAGE
        while aged == AGE_PAGE and await self._may_send():
            aged = await self._outbox.age(now - HORIZON_MS, now, "waited too long", AGE_PAGE)
            self.dead_total += aged

    async def close(self) -> None:
        """Break off what is under way; it is delivered again."""
        await self._pool.close()

    def stats(self) -> dict[str, int]:
        """Counters for the metrics."""
        return {
            "delivered_total": self.delivered_total,
            "failed_total": self.failed_total,
            "dead_total": self.dead_total,
            "disabled_total": self.disabled_total,
            "under_way": len(self._pool),
        }
