"""REST for whoever runs the installation: `/v1/apps`, by a key with the scope `operator`."""

from typing import Any

import msgspec
from aiohttp import web

from signaling.auth.registry import OPERATOR, Registry
from signaling.http import paging
from signaling.http.bodies import read_struct
from signaling.http.callers import Callers
from signaling.http.management import key_view
from signaling.model import App
from signaling.protocol.admin import AppView, CreateApp, CreatedAppView, CreateKey, UpdateApp

ALL = ("admin", "read", "tokens", "write")


class AppRoutes:
    """Registers apps and gives them their first keys."""

    def __init__(self, callers: Callers, registry: Registry) -> None:
        # passed in
        self._callers = callers
        self._registry = registry

    def routes(self) -> list[web.RouteDef]:
        """All of them."""
        return [
            web.get("/v1/apps", self.list),
            web.post("/v1/apps", self.create),
            web.get("/v1/apps/{app}", self.get),
            web.patch("/v1/apps/{app}", self.update),
            web.get("/v1/apps/{app}/keys", self.keys),
            web.post("/v1/apps/{app}/keys", self.create_key),
        ]

    async def list(self, request: web.Request) -> web.Response:
        """Every tenant, by id."""
        await self._callers.key(request, OPERATOR)
        rows, following = paging.slice_of(request, await self._registry.apps(), lambda app: app.id)
        return _json({"apps": [_view(app) for app in rows], "next": following})

    async def create(self, request: web.Request) -> web.Response:
        """A tenant and its first key. Raises Refused: bad_request, conflict."""
        await self._callers.key(request, OPERATOR)
        wish = await read_struct(request, CreateApp)
        app = await self._registry.create_app(wish.name, wish.app)
        issued = await self._registry.create_key(app.id, "first", ALL)
        view = CreatedAppView(
            app=app.id,
            name=app.name,
            created_at=app.created_at,
            settings=app.settings,
            key=issued.key.id,
            secret=issued.secret,
        )
        return _json(view, 201)

    async def get(self, request: web.Request) -> web.Response:
        """One. Raises Refused not_found."""
        await self._callers.key(request, OPERATOR)
        return _json(_view(await self._registry.app(request.match_info["app"])))

    async def update(self, request: web.Request) -> web.Response:
        """Its name and settings. Raises Refused."""
        await self._callers.key(request, OPERATOR)
        wish = await read_struct(request, UpdateApp)
        app = request.match_info["app"]
        return _json(_view(await self._registry.update_app(app, wish.settings, wish.name)))

    async def keys(self, request: web.Request) -> web.Response:
        """Its keys, without secrets. Raises Refused not_found."""
        await self._callers.key(request, OPERATOR)
        found = await self._registry.keys(request.match_info["app"])
        rows, following = paging.slice_of(request, found, lambda entry: entry.id)
        return _json({"keys": [key_view(entry) for entry in rows], "next": following})

    async def create_key(self, request: web.Request) -> web.Response:
        """One more key for it: for an app that lost its own. Raises Refused not_found."""
        await self._callers.key(request, OPERATOR)
        wish = await read_struct(request, CreateKey)
        app = request.match_info["app"]
        issued = await self._registry.create_key(app, wish.name, wish.scopes)
        return _json(key_view(issued.key, issued.secret), 201)


def _view(app: App) -> AppView:
    return AppView(app=app.id, name=app.name, created_at=app.created_at, settings=app.settings)


def _json(body: Any, status: int = 200) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(body),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
