"""`/docs`: the published documents, and the pages that show them."""

import msgspec
from aiohttp import web

from signaling.http.docs_pages import errors_page, events_page, rest_page
from signaling.http.docs_style import STYLE
from signaling.protocol.asyncapi import asyncapi
from signaling.protocol.naming import Requests
from signaling.protocol.openapi import openapi


class Docs:
    """Documents made once, at start."""

    def __init__(self, requests: Requests) -> None:
        rest, wire = openapi(requests), asyncapi(requests)
        self._bodies: dict[str, tuple[str, bytes]] = {
            "/openapi.json": ("application/json", msgspec.json.encode(rest)),
            "/asyncapi.json": ("application/json", msgspec.json.encode(wire)),
            "/docs": ("text/html", rest_page(rest).encode()),
            "/docs/events": ("text/html", events_page(wire).encode()),
            "/docs/errors": ("text/html", errors_page().encode()),
            "/docs/style.css": ("text/css", STYLE.encode()),
        }

    def routes(self) -> list[web.RouteDef]:
        """A path for each."""
        return [web.get(path, self.get) for path in self._bodies]

    async def get(self, request: web.Request) -> web.Response:
        """One document."""
        kind, body = self._bodies[request.path]
        charset = None if kind == "application/json" else "utf-8"
        return web.Response(body=body, content_type=kind, charset=charset)
