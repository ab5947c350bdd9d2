"""Reads the log and hears of calls, and finds whom to wake up: those without a live Device."""

import logging
from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from signaling import ids
from signaling.errors import Refused
from signaling.model import Conversation, Event
from signaling.outbox.collector import PAGE, LogTail
from signaling.outbox.news import News, NewsStore
from signaling.outbox.push import (
    MESSAGE_KEPT_MS,
    PUSH,
    Push,
    Pushes,
    Subscription,
    Target,
    call_payload,
    mentioned,
    message_payload,
    wants,
    wants_ring,
)
from signaling.outbox.webhook import Delivery, Outbox, Webhook, Webhooks
from signaling.ports import Clock
from signaling.services.call_state import Call

READER = "push"
TARGETS_MAX = 1_000
"""Members looked at for one message when the app's server asks for all of them."""
RING_MS = 45_000

log = logging.getLogger(__name__)


class Live(Protocol):
    """See ports.PresenceManager."""

    async def live(self, app: str, users: Sequence[str]) -> set[str]:
        """Those with a Connection."""


class Talks(Protocol):
    """See ports.Conversations."""

    async def get(self, app: str, conversation: str) -> Conversation | None:
        """By id or alias."""


class Names(Protocol):
    """See ports.Users."""

    async def names(self, app: str, users: Sequence[str]) -> dict[str, str]:
        """Names by user."""


class PushCollector:
    """Queues pushes, and `push` events for webhooks that want them."""

    def __init__(
        self,
        log_: LogTail,
        pushes: Pushes,
        outbox: Outbox,
        webhooks: Webhooks,
        news: NewsStore,
        talks: Talks,
        names: Names,
        live: Live,
        clock: Clock,
    ) -> None:
        # passed in
        self._log = log_
        self._pushes = pushes
        self._outbox = outbox
        self._webhooks = webhooks
        self._news = news
        self._talks = talks
        self._names = names
        self._live = live
        self._clock = clock
        # made here
        self.queued_total = 0
        self._done: int | None = None
        """The end of the log, once it was reached."""

    async def begin(self) -> None:
        """A new reader starts at the log's end."""
        if await self._outbox.position(READER) is None:
            _, end = await self._log.tail(-1, 0)
            await self._outbox.enqueue(READER, end, [])

    async def collect(self) -> int:
        """Queue for one page of the log; how many events it had. Waits while presence is away."""
        # Before who wants what: one who wants it later wants only what comes after this.
        _, end = await self._log.tail(-1, 0)
        if end == self._done:
            return 0
        position = await self._outbox.position(READER) or 0
        if end == position:
            self._done = end
            return 0
        hooks = [hook for hook in await self._webhooks.all() if hook.wants(PUSH)]
        if not hooks and not await self._pushes.anybody():
            await self._pushes.enqueue(READER, end, [], [])
            return 0
        return await self._page(position, hooks)

    async def _page(self, position: int, hooks: list[Webhook]) -> int:
        events, reached = await self._log.tail(position, PAGE)
        messages = [(app, event) for app, event in events if event.type == "message:created"]
        found = await self._pushes.any({app for app, _ in messages})
        pushes: list[Push] = []
        deliveries: list[Delivery] = []
        try:
            for app, event in messages:
                mine = [hook for hook in hooks if hook.app == app]
                if app in found or mine:
                    await self._message(app, event, mine, pushes, deliveries)
        except Refused as error:
            log.warning("pushes wait: %s", error.message)
            return 0
        await self._pushes.enqueue(READER, reached, pushes, deliveries)
        self.queued_total += len(pushes)
        return len(events)

    async def _message(
        self,
        app: str,
        event: Event,
        hooks: list[Webhook],
        pushes: list[Push],
        deliveries: list[Delivery],
    ) -> None:
        conversation = await self._talks.get(app, event.conversation)
        if conversation is None or event.data.get("body") is None:
            return
        now = self._clock()
        targets = await self._targets(app, event.conversation, event.sender, bool(hooks))
        woken = [target for target in targets if wants(target, event, now)]
        payload = message_payload(conversation, event)
        expires_at = min(event.data.get("expires_at") or 2**53, event.at + MESSAGE_KEPT_MS)
        for target in woken:
            body = {**payload, "mentioned": mentioned(target, event)}
            pushes += _pushes(target, event.id, body, expires_at)
        if woken:
            told = {
                "users": [target.user for target in woken],
                "mentioned": [target.user for target in woken if mentioned(target, event)],
                "notification": payload,
            }
            deliveries += [_delivery(hook, event, told) for hook in hooks]

    async def _targets(self, app: str, conversation: str, sender: str, all_: bool) -> list[Target]:
        """Without a live Device."""
        found = await self._pushes.targets(
            conversation, sender, subscribed=not all_, limit=TARGETS_MAX
        )
        live = await self._live.live(app, [target.user for target in found])
        return [target for target in found if target.user not in live]

    async def ring(self, event: str, call: Call) -> None:
        """What a CallHost tells its watchers: wake those who ring without a live Device."""
        if event != "call:ringing":
            return
        conversation = await self._talks.get(call.app, call.conversation)
        wanted = [hook for hook in await self._webhooks.all() if hook.app == call.app]
        hooked = any(hook.wants(PUSH) for hook in wanted)
        if conversation is None or not (hooked or await self._pushes.any({call.app})):
            return
        names = await self._names.names(call.app, [call.caller])
        payload = call_payload(conversation, call.to_wire(), names.get(call.caller) or call.caller)
        await self._rung(call, payload, hooked)

    async def _rung(self, call: Call, payload: dict[str, Any], hooked: bool) -> None:
        now, ringing = self._clock(), set(call.ringing())
        targets = await self._targets(call.app, call.conversation, call.caller, hooked)
        woken = [target for target in targets if target.user in ringing and wants_ring(target, now)]
        pushes: list[Push] = []
        for target in woken:
            pushes += _pushes(target, call.id, payload, now + RING_MS, urgent=True)
        if pushes:
            await self._pushes.add(pushes)
            self.queued_total += len(pushes)
        if woken and hooked:
            data = {"users": [target.user for target in woken], "notification": payload}
            line = f"push:{call.conversation}"
            news = News(app=call.app, type=PUSH, line=line, subject=call.id, data=data)
            await self._news.put(news)


def queue_name(*parts: str) -> str:
    """A topic of at most 32 base64url characters (RFC 8030 section 5.4)."""
    return ids.of("", parts)[-32:]


def _pushes(
    target: Target, cause: str, body: dict[str, Any], expires_at: int, *, urgent: bool = False
) -> list[Push]:
    text = msgspec.json.encode(body).decode()
    topic = queue_name(body["type"], body["conversation"])
    return [
        Push(
            id=ids.of("pu", (subscription.id, cause)),
            subscription=subscription.id,
            app=subscription.app,
            body=text,
            topic=topic,
            urgent=urgent,
            expires_at=expires_at,
        )
        for subscription in target.subscriptions
    ]


def _delivery(hook: Webhook, event: Event, data: dict[str, Any]) -> Delivery:
    identity = ids.of("wd", (hook.id, event.id, PUSH))
    body = {"id": identity, "type": PUSH, "app": hook.app, "data": data}
    return Delivery(
        id=identity,
        webhook=hook.id,
        app=hook.app,
        conversation=f"push:{event.conversation}",
        position=event.position,
        type=PUSH,
        body=msgspec.json.encode(body).decode(),
    )


def subscription_of(
    app: str, user: str, device: str, endpoint: str, p256dh: str, auth: str, now: int
) -> Subscription:
    """A browser's, with the id that follows from where it is reached."""
    return Subscription(
        id=ids.of("ps", (app, endpoint)),
        app=app,
        user=user,
        device=device,
        endpoint=endpoint,
        p256dh=p256dh,
        auth=auth,
        created_at=now,
    )
