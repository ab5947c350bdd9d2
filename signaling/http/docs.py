"""`/docs`: the published documents, and the pages that show them."""

import asyncio
from functools import cached_property
from typing import Final

import msgspec
from aiohttp import web

from signaling.protocol.naming import Requests

PATHS: Final = (
    "/openapi.json",
    "/asyncapi.json",
    "/docs",
    "/docs/events",
    "/docs/errors",
    "/docs/style.css",
)


class Docs:
    """Documents made once, for the first who asks: they take longer than a start may."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    @cached_property
    def _bodies(self) -> dict[str, tuple[str, bytes]]:
        # Loading what makes them takes longer than a start may, too.
        from signaling.http.docs_pages import errors_page, events_page, rest_page  # noqa: PLC0415
        from signaling.http.docs_style import STYLE  # noqa: PLC0415
        from signaling.protocol.asyncapi import asyncapi  # noqa: PLC0415
        from signaling.protocol.openapi import openapi  # noqa: PLC0415

        rest, wire = openapi(self._requests), asyncapi(self._requests)
        return {
            "/openapi.json": ("application/json", msgspec.json.encode(rest)),
            "/asyncapi.json": ("application/json", msgspec.json.encode(wire)),
            "/docs": ("text/html", rest_page(rest).encode()),
            "/docs/events": ("text/html", events_page(wire).encode()),
            "/docs/errors": ("text/html", errors_page().encode()),
            "/docs/style.css": ("text/css", STYLE.encode()),
        }

    def routes(self) -> list[web.RouteDef]:
        """A path for each."""
        return [web.get(path, self.get) for path in PATHS]

    async def get(self, request: web.Request) -> web.Response:
        """One document."""
        bodies = await asyncio.to_thread(lambda: self._bodies)
        kind, body = bodies[request.path]
        charset = None if kind == "application/json" else "utf-8"
        return web.Response(body=body, content_type=kind, charset=charset)
