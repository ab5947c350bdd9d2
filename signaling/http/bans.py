"""REST for shutting users out of an app, by API key."""

from typing import Any

import msgspec
from aiohttp import web

from signaling.auth.tokens import check_id
from signaling.errors import Refused
from signaling.http import paging
from signaling.http.bodies import read_struct
from signaling.http.callers import Callers
from signaling.moderation.ban import Ban, Bans
from signaling.protocol.moderation import BanUser, BanView, LiftedView


class BanRoutes:
    """`/v1/bans` and `/v1/users/{user}/ban`."""

    def __init__(self, callers: Callers, bans: Bans) -> None:
        # passed in
        self._callers = callers
        self._bans = bans

    def routes(self) -> list[web.RouteDef]:
        """All of them."""
        return [
            web.get("/v1/bans", self.list),
            web.put("/v1/users/{user}/ban", self.ban),
            web.delete("/v1/users/{user}/ban", self.lift),
        ]

    async def list(self, request: web.Request) -> web.Response:
        """Who is shut out, by user; also those whose time is over."""
        key = await self._callers.key(request, "read")
        limit, after = paging.limit_of(request), paging.cursor_of(request) or ""
        found = await self._bans.store.page(key.app, after, limit + 1)
        rows, following = paging.page(found, limit, lambda ban: ban.user)
        return _json({"bans": [_view(ban) for ban in rows], "next": following})

    async def ban(self, request: web.Request) -> web.Response:
        """Cut a user's sockets everywhere and let them in no more. Raises Refused bad_request."""
        key = await self._callers.key(request, "admin")
        wish = await read_struct(request, BanUser)
        user, by = _user(request), f"key:{key.id}"
        return _json(_view(await self._bans.ban(key.app, user, wish.until, wish.reason, by)))

    async def lift(self, request: web.Request) -> web.Response:
        """Let a user in again, with a new token. Raises Refused not_found."""
        key = await self._callers.key(request, "admin")
        user = _user(request)
        await self._bans.lift(key.app, user, f"key:{key.id}")
        return _json(LiftedView(user=user))


def _user(request: web.Request) -> str:
    try:
        return check_id(request.match_info["user"], "user")
    except Refused as refused:
        raise Refused("bad_request", refused.message) from refused


def _view(ban: Ban) -> BanView:
    return BanView(user=ban.user, until=ban.until, reason=ban.reason, by=ban.by, at=ban.at)


def _json(body: Any) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(body),
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
