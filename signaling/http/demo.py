"""Guest tokens for the demo page. Routed in dev mode only."""

import secrets
from typing import Any

import msgspec
from aiohttp import web

from signaling.auth.tokens import Tokens, check_id
from signaling.errors import Refused
from signaling.http.bodies import read_struct

GUEST_LIFETIME_S = 12 * 3600


class GuestRequest(msgspec.Struct, frozen=True, kw_only=True):
    """`{user?, name?}`: who the guest would like to be."""

    user: str | None = None
    name: str | None = None


class Demo:
    """`POST /demo/token`."""

    def __init__(self, tokens: Tokens, key: str) -> None:
        # passed in
        self._tokens = tokens
        self._key = key

    def routes(self) -> list[web.RouteDef]:
        """One path."""
        return [web.post("/demo/token", self.token)]

    async def token(self, request: web.Request) -> web.Response:
        """`{token, user, name, expires_in}` for whoever asks."""
        wish = await read_struct(request, GuestRequest)
        user = f"guest-{secrets.token_hex(6)}" if wish.user is None else _user(wish.user)
        name = (wish.name or "").strip()[:100] or user
        token = await self._tokens.mint(self._key, user, name=name, lifetime_s=GUEST_LIFETIME_S)
        body: dict[str, Any] = {"token": token, "user": user, "name": name}
        body["expires_in"] = GUEST_LIFETIME_S
        return web.json_response(body, headers={"Cache-Control": "no-store"})


def _user(text: str) -> str:
    try:
        return check_id(text, "user")
    except Refused as refused:
        raise Refused("bad_request", refused.message) from refused
