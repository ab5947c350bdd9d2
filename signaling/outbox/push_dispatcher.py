"""Sends pushes that are due; forgets browsers that are gone."""

import random
from collections.abc import Awaitable, Callable
from typing import Protocol

from signaling.outbox.dispatcher import Poster, PostFailed
from signaling.outbox.pool import Pool
from signaling.outbox.push import Push, Pushes, Subscription, Subscriptions
from signaling.outbox.schedule import retry_in_ms
from signaling.ports import Clock

AT_ONCE = 64
AT_ONCE_EACH = 16
"""Under way for one app; see HttpPoster."""
GONE = (404, 410)
"""The subscription has ended (RFC 8030 section 7.3)."""
FINAL = (400, 401, 403, 413)
"""Said of this push; sending it again does not help."""


class Sealing(Protocol):
    """Encryption and the proof of who sends."""

    def authorization(self, app: str, endpoint: str, now_ms: int) -> str:
        """The header (RFC 8292)."""


class PushDispatcher:
    """Encrypts (`encrypt(body, p256dh, auth)`) and posts."""

    def __init__(
        self,
        pushes: Pushes,
        subscriptions: Subscriptions,
        poster: Poster,
        sealing: Sealing,
        encrypt: Callable[[bytes, str, str], bytes],
        clock: Clock,
        may_send: Callable[[], Awaitable[bool]],
    ) -> None:
        # passed in
        self._pushes = pushes
        self._subscriptions = subscriptions
        self._poster = poster
        self._sealing = sealing
        self._encrypt = encrypt
        self._clock = clock
        self._may_send = may_send
        # made here
        self._pool = Pool(AT_ONCE, app=AT_ONCE_EACH)
        self.sent_total = 0
        self.failed_total = 0
        self.gone_total = 0

    async def dispatch(self) -> int:
        """Begin with what is due; how much was begun."""
        pool = self._pool
        if pool.free <= 0:
            return 0
        before = pool.keys()
        due = await self._pushes.due(self._clock(), AT_ONCE + len(pool), pool.full("app"))
        return sum(self._begin(push, to) for push, to in due if push.id not in before)

    def _begin(self, push: Push, to: Subscription) -> bool:
        if not self._pool.may_begin(push.id, app=push.app):
            return False
        return self._pool.begin(push.id, self._send(push, to), app=push.app)

    async def settle(self, timeout_s: float) -> bool:
        """See runner.Dispatches."""
        return await self._pool.settle(timeout_s)

    async def _send(self, push: Push, to: Subscription) -> None:
        if not await self._may_send():
            return
        now = self._clock()
        try:
            body = self._encrypt(push.body.encode(), to.p256dh, to.auth)
            headers = self._headers(push, to, now)
            await self._poster.post(to.endpoint, headers, body, f"push {push.app}")
        except PostFailed as failure:
            await self._failed(push, to, failure.status, now)
            return
        self.sent_total += 1
        await self._pushes.done(push.id)

    def _headers(self, push: Push, to: Subscription, now: int) -> dict[str, str]:
        return {
            "Content-Type": "application/octet-stream",
            "Content-Encoding": "aes128gcm",
            "Authorization": self._sealing.authorization(push.app, to.endpoint, now),
            "TTL": str(max(0, push.expires_at - now) // 1000),
            "Urgency": "high" if push.urgent else "normal",
            "Topic": push.topic,
        }

    async def _failed(self, push: Push, to: Subscription, status: int | None, now: int) -> None:
        if status in GONE:
            self.gone_total += 1
            await self._subscriptions.drop(to.id)
            return
        self.failed_total += 1
        pause = retry_in_ms(push.attempts + 1, random.random())  # noqa: S311 - a jitter
        if status in FINAL or pause is None or now + pause >= push.expires_at:
            await self._pushes.done(push.id)
        else:
            await self._pushes.put_off(push.id, now + pause)

    async def close(self) -> None:
        """Break off what is under way; it is sent again."""
        await self._pool.close()

    def stats(self) -> dict[str, int]:
        """Counters for the metrics."""
        return {
            "sent_total": self.sent_total,
            "failed_total": self.failed_total,
            "gone_total": self.gone_total,
        }
