"""REST and the client SDK for listed pages of other origins (CORS of the Fetch standard)."""

from collections.abc import Sequence

from aiohttp import web
from aiohttp.typedefs import Handler

from signaling.gateway.origins import allowed

PATHS = ("/v1/", "/demo/", "/js/sdk/", "/vendor/")
"""A page of a listed origin may ask these, and import the SDK from here."""
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Content-Range, Idempotency-Key, "
    "If-None-Match, Range",
    "Access-Control-Max-Age": "7200",
}
EXPOSED = (
    "Content-Disposition, Content-Range, ETag, Idempotent-Replayed, Range, Retry-After, "
    "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset"
)


class Cors:
    """Callers send tokens themselves, so no answer allows credentials (cookies)."""

    def __init__(self, origins: Sequence[str]) -> None:
        # passed in
        self._origins = origins

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answers preflights."""
        asks = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        if asks and self._lets(request):
            return web.Response(status=204, headers=PREFLIGHT)
        return await handler(request)

    async def prepare(self, request: web.Request, response: web.StreamResponse) -> None:
        """A signal that lets the page read the answer."""
        if self._lets(request):
            response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
            response.headers["Access-Control-Expose-Headers"] = EXPOSED
            response.headers.add("Vary", "Origin")

    def _lets(self, request: web.Request) -> bool:
        origin = request.headers.get("Origin")
        return (
            origin is not None and request.path.startswith(PATHS) and allowed(origin, self._origins)
        )
