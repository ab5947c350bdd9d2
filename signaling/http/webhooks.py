"""REST for webhooks: `/v1/webhooks`, by API key only."""

from typing import Any

import msgspec
from aiohttp import web

from signaling.audit.trail import Trail
from signaling.auth.registry import now_ms
from signaling.auth.sealing import MasterKey
from signaling.errors import Refused
from signaling.http import paging
from signaling.http.bodies import read_struct
from signaling.http.callers import Callers
from signaling.model import ApiKey
from signaling.outbox.news import Wanted
from signaling.outbox.webhook import MAX_PER_APP, Outbox, Webhook, Webhooks, new_webhook
from signaling.protocol.webhooks import (
    CreateWebhook,
    DeadLetterView,
    NamedDeliveryView,
    NamedWebhookView,
    ReplayDeadLetters,
    ReplayedView,
    WebhookView,
)


class WebhookRoutes:
    """Subscriptions and their dead letters."""

    def __init__(
        self,
        callers: Callers,
        webhooks: Webhooks,
        outbox: Outbox,
        master: MasterKey,
        wanted: Wanted,
        trail: Trail,
    ) -> None:
        # passed in
        self._callers = callers
        self._webhooks = webhooks
        self._outbox = outbox
        self._master = master
        self._wanted = wanted
        self._trail = trail

    def routes(self) -> list[web.RouteDef]:
        """All of them."""
        return [
            web.get("/v1/webhooks", self.list),
            web.post("/v1/webhooks", self.create),
            web.delete("/v1/webhooks/{webhook}", self.remove),
            web.post("/v1/webhooks/{webhook}/enable", self.enable),
            web.get("/v1/dead-letters", self.dead),
            web.post("/v1/dead-letters/replay", self.replay_all),
            web.post("/v1/dead-letters/{delivery}/replay", self.replay),
        ]

    async def list(self, request: web.Request) -> web.Response:
        """The app's webhooks, without secrets."""
        key = await self._callers.key(request, "admin")
        hooks = await self._webhooks.of_app(key.app)
        rows, following = paging.slice_of(request, hooks, lambda hook: hook.id)
        return _json({"webhooks": [_view(hook) for hook in rows], "next": following})

    async def create(self, request: web.Request) -> web.Response:
        """A new one; its secret is in this answer only. Raises Refused quota_exceeded."""
        key = await self._callers.key(request, "admin")
        wish = await read_struct(request, CreateWebhook)
        if len(await self._webhooks.of_app(key.app)) >= MAX_PER_APP:
            raise Refused("quota_exceeded", f"an app has at most {MAX_PER_APP} webhooks")
        hook, secret = new_webhook(self._master, key.app, wish.url, wish.events)
        await self._webhooks.put(hook)
        await self._wanted.refresh()
        events = list(hook.events)
        await self._note(key, "webhook:created", hook.id, url=hook.url, events=events)
        return _json(_view(hook, secret), 201)

    async def remove(self, request: web.Request) -> web.Response:
        """End one, with what it was still owed. Raises Refused not_found."""
        key = await self._callers.key(request, "admin")
        webhook = request.match_info["webhook"]
        if not await self._webhooks.remove(key.app, webhook):
            raise Refused("not_found", "no such webhook")
        await self._note(key, "webhook:removed", webhook)
        return _json(NamedWebhookView(webhook=webhook))

    async def enable(self, request: web.Request) -> web.Response:
        """Tell one again that failed for too long. Raises Refused not_found."""
        key = await self._callers.key(request, "admin")
        webhook = request.match_info["webhook"]
        if not await self._webhooks.enable(key.app, webhook):
            raise Refused("not_found", "no such webhook")
        await self._wanted.refresh()
        await self._note(key, "webhook:enabled", webhook)
        return _json(NamedWebhookView(webhook=webhook))

    async def dead(self, request: web.Request) -> web.Response:
        """What could not be delivered, newest first; `?webhook=` of one."""
        key = await self._callers.key(request, "admin")
        limit, before = paging.limit_of(request), _place(paging.cursor_of(request))
        webhook = request.query.get("webhook")
        found = await self._outbox.dead(key.app, limit + 1, webhook, before)
        letters, following = paging.page(
            found, limit, lambda letter: f"{letter.dead_at} {letter.id}"
        )
        views = [
            DeadLetterView(
                delivery=letter.id,
                webhook=letter.webhook,
                type=letter.type,
                attempts=letter.attempts,
                dead_at=letter.dead_at or 0,
                error=letter.error or "",
                body=msgspec.json.decode(letter.body),
            )
            for letter in letters
        ]
        return _json({"dead_letters": views, "next": following})

    async def replay_all(self, request: web.Request) -> web.Response:
        """Try all again, or all of one webhook."""
        key = await self._callers.key(request, "admin")
        wish = await read_struct(request, ReplayDeadLetters)
        replayed = await self._outbox.replay_all(key.app, wish.webhook, now_ms())
        await self._note(key, "dead_letters:replayed", wish.webhook or "", count=replayed)
        return _json(ReplayedView(replayed=replayed))

    async def replay(self, request: web.Request) -> web.Response:
        """Try one again from the start. Raises Refused not_found."""
        key = await self._callers.key(request, "admin")
        delivery = request.match_info["delivery"]
        if not await self._outbox.replay(key.app, delivery, now_ms()):
            raise Refused("not_found", "no such dead letter")
        await self._note(key, "dead_letters:replayed", delivery, count=1)
        return _json(NamedDeliveryView(delivery=delivery))

    async def _note(self, key: ApiKey, action: str, subject: str, **details: Any) -> None:
        await self._trail.note(key.app, f"key:{key.id}", action, subject, **details)


def _place(cursor: str | None) -> tuple[int, str] | None:
    """Where a page of dead letters ended. Raises Refused bad_request."""
    if cursor is None:
        return None
    dead_at, _, delivery = cursor.partition(" ")
    if not (dead_at.isascii() and dead_at.isdigit() and len(dead_at) < 18 and delivery):
        raise Refused("bad_request", "`cursor` is the `next` of the page before")
    return int(dead_at), delivery


def _view(hook: Webhook, secret: str | None = None) -> WebhookView:
    return WebhookView(
        webhook=hook.id,
        url=hook.url,
        events=hook.events,
        created_at=hook.created_at,
        failing_since=hook.failing_since,
        disabled_at=hook.disabled_at,
        secret=secret,
    )


def _json(body: Any, status: int = 200) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(body), status=status, content_type="application/json"
    )
