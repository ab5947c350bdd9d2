"""Writes down what keys do over REST, where no store does it in its own transaction."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from signaling.audit.trail import Trail
from signaling.http.callers import CALLER, Caller

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

ACTS = {
    ("POST", "/v1/users/{user}/export"): "user:export_asked",
    ("POST", "/v1/users/{user}/erase"): "user:erase_asked",
    ("POST", "/v1/users/{user}/sign-out"): "user:signed_out",
    ("DELETE", "/v1/users/{user}/devices/{device}"): "device:signed_out",
    ("POST", "/v1/tokens/revoke"): "token:revoked",
}
"""By method and path; webhooks, plans, keys, settings, bans and reports write theirs themselves."""


class Audited:
    """A middleware next to the handlers."""

    def __init__(self, trail: Trail) -> None:
        self._trail = trail

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """After the act, before its answer: who gets none may ask the trail."""
        response = await handler(request)
        action = ACTS.get((request.method, _path(request)))
        caller: Caller | None = request.get(CALLER)
        if action is None or caller is None or response.status >= 300:
            return response
        named = dict(request.match_info)
        app = named.pop("app", caller.app)
        subject = next(iter(named.values()), "")
        await self._trail.note(app, caller.name, action, subject, **named)
        return response


def _path(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return "" if resource is None else resource.canonical
