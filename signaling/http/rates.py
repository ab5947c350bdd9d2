"""How fast REST may be asked: a bucket for each caller, and one for each address without a name.

Every answer below /v1 says how its caller stands, in `X-RateLimit-Limit`, `-Remaining`, `-Reset`.
"""

from aiohttp import web
from aiohttp.typedefs import Handler

from signaling.allowance import Allowance, Rate, Standing
from signaling.errors import Refused
from signaling.ports import Clock

PATHS = "/v1/"
STANDING = web.RequestKey("standing", Standing)


class RestRates:
    """`named` and `unnamed` are asked by Callers; the rest puts headers on answers."""

    def __init__(self, callers: Rate, addresses: Rate, clock: Clock) -> None:
        # made here
        self._callers = Allowance(callers, clock)
        self._addresses = Allowance(addresses, clock)
        self.refused_total = 0

    def named(self, request: web.Request, name: object) -> None:
        """One request of a known caller. Raises Refused rate_limited."""
        self._take(request, self._callers, name)

    def unnamed(self, request: web.Request) -> None:
        """One request with wrong or without credentials. Raises Refused rate_limited."""
        self._take(request, self._addresses, request.remote)

    def guess(self, request: web.Request) -> None:
        """Before credentials are looked at. Raises Refused rate_limited: too many were wrong."""
        standing = self._addresses.standing(request.remote)
        if standing is not None and standing.remaining < 1:
            self.unnamed(request)

    def _take(self, request: web.Request, allowance: Allowance, name: object) -> None:
        try:
            allowance.take(name)
        except Refused:
            self.refused_total += 1
            raise
        finally:
            standing = allowance.standing(name)
            if standing is not None:
                request[STANDING] = standing

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Outside of what turns refusals into answers."""
        response = await handler(request)
        if not response.prepared:
            await self.prepare(request, response)
        return response

    async def prepare(self, request: web.Request, response: web.StreamResponse) -> None:
        """A signal, for answers that are streamed."""
        if not request.path.startswith(PATHS) or "X-RateLimit-Limit" in response.headers:
            return
        standing = request.get(STANDING)
        if standing is None:
            standing = self._addresses.standing(request.remote)
        if standing is not None:
            response.headers["X-RateLimit-Limit"] = str(standing.limit)
            response.headers["X-RateLimit-Remaining"] = str(standing.remaining)
            response.headers["X-RateLimit-Reset"] = str(standing.reset_s)

    def stats(self) -> dict[str, int]:
        """Counters for the metrics."""
        return {"refused_total": self.refused_total}
