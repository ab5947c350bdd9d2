"""The SFU's own HTTP application: WHIP, WHEP, health and statistics."""

from typing import Final

from aiohttp import web

from media.sfu import Sfu
from media.whip.admission import Authorize
from media.whip.answers import answering
from media.whip.endpoint import Whip

WHIP: Final = web.AppKey("whip", Whip)
"""The application's Whip: hand it the Sfu's events."""


def create_app(sfu: Sfu, authorize: Authorize) -> web.Application:
    """An application around a started Sfu; its sessions end when it is cleaned up."""
    whip = Whip(sfu, authorize)

    async def stats(request: web.Request) -> web.Response:
        await whip.admit(request, "stats", "")
        return web.json_response({**sfu.stats(), "http_sessions": len(whip.sessions)})

    async def health(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def close(_: web.Application) -> None:
        await whip.close()

    app = web.Application(client_max_size=512 * 1024)
    app[WHIP] = whip
    app.add_routes(whip.routes())
    app.add_routes([web.get("/stats", answering(stats)), web.get("/healthz", health)])
    app.on_shutdown.append(close)
    return app
