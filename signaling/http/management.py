"""REST for an app's server: its app, keys, tokens, and the devices of its users."""

from typing import Any

import msgspec
from aiohttp import web

from signaling.audit.trail import Trail
from signaling.auth.registry import Registry
from signaling.auth.revocation import Revoking
from signaling.auth.tokens import Tokens, check_id
from signaling.errors import Refused
from signaling.http import paging
from signaling.http.bodies import read_struct
from signaling.http.callers import Callers
from signaling.model import ApiKey
from signaling.ports import Users
from signaling.protocol.admin import (
    AppView,
    CreateKey,
    CreateToken,
    DeviceView,
    KeyView,
    OwnKeyView,
    RevokedTokenView,
    RevokeToken,
    RotateKey,
    SignedOutDeviceView,
    SignedOutView,
    TokenView,
    UpdateApp,
)
from signaling.services.devices import Devices


class Management:
    """`/v1/app`, `/v1/keys`, `/v1/tokens` and `/v1/users/{user}/devices`, by API key only."""

    def __init__(
        self,
        callers: Callers,
        registry: Registry,
        tokens: Tokens,
        users: Users,
        devices: Devices,
        revoking: Revoking,
        trail: Trail,
    ) -> None:
        # passed in
        self._revoking = revoking
        self._callers = callers
        self._registry = registry
        self._tokens = tokens
        self._users = users
        self._devices = devices
        self._trail = trail

    def routes(self) -> list[web.RouteDef]:
        """All of them."""
        return [
            web.get("/v1/app", self.app),
            web.patch("/v1/app", self.update_app),
            web.get("/v1/key", self.own_key),
            web.get("/v1/keys", self.keys),
            web.post("/v1/keys", self.create_key),
            web.delete("/v1/keys/{key}", self.revoke_key),
            web.post("/v1/keys/{key}/rotate", self.rotate_key),
            web.post("/v1/tokens/revoke", self.revoke_token),
            web.post("/v1/users/{user}/sign-out", self.sign_out_user),
            web.post("/v1/tokens", self.create_token),
            web.get("/v1/users/{user}/devices", self.devices),
            web.delete("/v1/users/{user}/devices/{device}", self.sign_out),
        ]

    async def app(self, request: web.Request) -> web.Response:
        """The key's own app."""
        key = await self._callers.key(request, "read")
        app = await self._registry.app(key.app)
        return _json(
            AppView(app=app.id, name=app.name, created_at=app.created_at, settings=app.settings)
        )

    async def update_app(self, request: web.Request) -> web.Response:
        """Change settings: `jwks` and the like."""
        key = await self._callers.key(request, "admin")
        wish = await read_struct(request, UpdateApp)
        app = await self._registry.update_app(key.app, wish.settings, wish.name, by=f"key:{key.id}")
        return _json(
            AppView(app=app.id, name=app.name, created_at=app.created_at, settings=app.settings)
        )

    async def own_key(self, request: web.Request) -> web.Response:
        """Who is calling. Raises Refused forbidden for a user's token."""
        key = (await self._callers.any(request)).key
        if key is None:
            raise Refused("forbidden", "this takes an API key")
        app = await self._registry.app(key.app)
        view = OwnKeyView(
            key=key.id, name=key.name, scopes=key.scopes, app=app.id, app_name=app.name
        )
        return _json(view)

    async def keys(self, request: web.Request) -> web.Response:
        """Every key of the app, without secrets."""
        key = await self._callers.key(request, "admin")
        found = await self._registry.keys(key.app)
        rows, following = paging.slice_of(request, found, lambda entry: entry.id)
        return _json({"keys": [key_view(entry) for entry in rows], "next": following})

    async def create_key(self, request: web.Request) -> web.Response:
        """A new key; its secret is in this answer only."""
        key = await self._callers.key(request, "admin")
        wish = await read_struct(request, CreateKey)
        issued = await self._registry.create_key(
            key.app, wish.name, wish.scopes, by=f"key:{key.id}"
        )
        return _json(key_view(issued.key, issued.secret), 201)

    async def rotate_key(self, request: web.Request) -> web.Response:
        """A new key in the place of one, which goes on for a while. Raises Refused."""
        key = await self._callers.key(request, "admin")
        wish = await read_struct(request, RotateKey)
        old = request.match_info["key"]
        issued = await self._registry.rotate_key(
            old, key.app, wish.overlap_s, by=f"key:{key.id}", within=key.scopes
        )
        if not wish.overlap_s:
            await self._revoking.key(key.app, old)
        return _json(key_view(issued.key, issued.secret), 201)

    async def revoke_key(self, request: web.Request) -> web.Response:
        """End a key, and the sockets of tokens it signed."""
        key = await self._callers.key(request, "admin")
        ended = await self._registry.revoke_key(
            request.match_info["key"], key.app, by=f"key:{key.id}"
        )
        await self._revoking.key(key.app, ended.id)
        return _json(key_view(ended))

    async def revoke_token(self, request: web.Request) -> web.Response:
        """Refuse tokens of a `jti` from now on, and cut their sockets."""
        key = await self._callers.key(request, "tokens")
        wish = await read_struct(request, RevokeToken)
        await self._revoking.token(key.app, wish.jti)
        return _json(RevokedTokenView(jti=wish.jti))

    async def sign_out_user(self, request: web.Request) -> web.Response:
        """Refuse all tokens of a user issued so far, and cut their sockets."""
        key = await self._callers.key(request, "write")
        user = request.match_info["user"]
        await self._revoking.user(key.app, user)
        return _json(SignedOutView(user=user))

    async def create_token(self, request: web.Request) -> web.Response:
        """A user's token, signed with the calling key."""
        key = await self._callers.key(request, "tokens")
        wish = await read_struct(request, CreateToken)
        text = await self._tokens.mint(
            key.id,
            _id(wish.user, "user"),
            name=wish.name,
            device=wish.device,
            grants=wish.grants,
            lifetime_s=wish.lifetime_s,
            jti=wish.jti,
        )
        await self._minted(key, wish)
        return _json(TokenView(token=text, user=wish.user, expires_in=wish.lifetime_s), 201)

    async def _minted(self, key: ApiKey, wish: CreateToken) -> None:
        """What the token allows, for the trail: not the token."""
        known = {name: getattr(wish, name) for name in ("device", "lifetime_s", "jti")}
        if wish.grants is not None:
            known["grants"] = msgspec.to_builtins(wish.grants)
        await self._trail.note(key.app, f"key:{key.id}", "token:minted", wish.user, **known)

    async def devices(self, request: web.Request) -> web.Response:
        """The installations of a user."""
        key = await self._callers.key(request, "read")
        found = await self._users.devices(key.app, request.match_info["user"])
        views = [
            DeviceView(
                device=device.device,
                name=device.name,
                created_at=device.created_at,
                seen_at=device.seen_at,
                revoked_at=device.revoked_at,
            )
            for device in found
        ]
        rows, following = paging.slice_of(request, views, lambda view: view.device)
        return _json({"devices": rows, "next": following})

    async def sign_out(self, request: web.Request) -> web.Response:
        """Refuse a device's tokens so far, and cut its sockets. Raises Refused not_found."""
        key = await self._callers.key(request, "write")
        user, device = request.match_info["user"], request.match_info["device"]
        await self._devices.end(key.app, user, device)
        return _json(SignedOutDeviceView(device=device))


def _json(body: Any, status: int = 200) -> web.Response:
    return web.json_response(
        text=msgspec.json.encode(body).decode(),
        status=status,
        headers={"Cache-Control": "no-store"},
    )


def key_view(key: ApiKey, secret: str | None = None) -> KeyView:
    """A key as its owner sees it."""
    return KeyView(
        key=key.id,
        name=key.name,
        scopes=key.scopes,
        created_at=key.created_at,
        revoked_at=key.revoked_at,
        secret=secret,
    )


def _id(text: str, what: str) -> str:
    try:
        return check_id(text, what)
    except Refused as refused:
        raise Refused("bad_request", refused.message) from refused
