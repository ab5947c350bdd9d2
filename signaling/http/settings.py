"""REST for an app's settings: typed, unknown ones refused."""

from typing import Any

import msgspec
from aiohttp import web

from signaling.auth.registry import Registry
from signaling.http.bodies import read_struct
from signaling.http.callers import Callers
from signaling.moderation.presend import PreSend
from signaling.moderation.settings import SettingsAtHand
from signaling.protocol.admin import SettingsView
from signaling.protocol.settings import AppSettings, settings_of


class SettingsRoutes:
    """`/v1/app/settings`."""

    def __init__(
        self, callers: Callers, registry: Registry, at_hand: SettingsAtHand, presend: PreSend
    ) -> None:
        # passed in
        self._callers = callers
        self._registry = registry
        self._at_hand = at_hand
        self._presend = presend

    def routes(self) -> list[web.RouteDef]:
        """Both."""
        return [
            web.get("/v1/app/settings", self.get),
            web.patch("/v1/app/settings", self.change),
        ]

    async def get(self, request: web.Request) -> web.Response:
        """What was set; what is absent has its default."""
        key = await self._callers.key(request, "read")
        app = await self._registry.app(key.app)
        return _json(SettingsView(settings=settings_of(app.settings)))

    async def change(self, request: web.Request) -> web.Response:
        """Only those given change; null sets one back. Whoever sets `pre_send` gets its secret.

        Raises Refused: bad_request, too_large.
        """
        key = await self._callers.key(request, "admin")
        wish = await read_struct(request, dict[str, Any])
        app = await self._registry.update_app(key.app, wish, by=f"key:{key.id}")
        self._at_hand.forget(key.app)
        settings = settings_of(app.settings)
        return _json(
            SettingsView(settings=settings, pre_send_secret=self._secret(key.app, wish, settings))
        )

    def _secret(self, app: str, wish: dict[str, Any], settings: AppSettings) -> str | None:
        hook = settings.pre_send
        return self._presend.secret(app, hook) if hook and "pre_send" in wish else None


def _json(body: Any) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(body),
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
