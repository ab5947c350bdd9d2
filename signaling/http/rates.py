"""How fast REST may be asked: a bucket for each caller, user, app and address.

Every answer below /v1 says how its caller stands in the tightest of them, in `X-RateLimit-Limit`,
`-Remaining` and `-Reset`.
"""

from aiohttp import web
from aiohttp.typedefs import Handler

from signaling.allowance import Allowances, Asking, Standing
from signaling.errors import Refused

PATHS = "/v1/"
STANDING = web.RequestKey("standing", Standing)


class RestRates:
    """`named` and `unnamed` are asked by Callers; the rest puts headers on answers."""

    def __init__(self, allowances: Allowances) -> None:
        # passed in
        self._allowances = allowances
        # made here
        self.refused_total = 0

    async def named(self, request: web.Request, app: str, caller: str, user: str | None) -> None:
        """One request of a known caller; `user` when it is one. Raises Refused rate_limited."""
        asking = Asking(app, request.remote or "", caller=caller, user=user)
        try:
            await self._allowances.ask(asking)
        except Refused:
            self.refused_total += 1
            raise
        finally:
            self._stands(request, self._allowances.standing(asking))

    async def unnamed(self, request: web.Request) -> None:
        """One request with wrong or without credentials. Raises Refused rate_limited."""
        address = request.remote or ""
        try:
            await self._allowances.come(address)
        except Refused:
            self.refused_total += 1
            raise
        finally:
            self._stands(request, self._allowances.comers(address))

    async def guess(self, request: web.Request) -> None:
        """Before credentials are looked at. Raises Refused rate_limited: too many were wrong."""
        standing = self._allowances.comers(request.remote or "")
        if standing is not None and standing.remaining < 1:
            await self.unnamed(request)

    def _stands(self, request: web.Request, standing: Standing | None) -> None:
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
            standing = self._allowances.comers(request.remote or "")
        if standing is not None:
            response.headers["X-RateLimit-Limit"] = str(standing.limit)
            response.headers["X-RateLimit-Remaining"] = str(standing.remaining)
            response.headers["X-RateLimit-Reset"] = str(standing.reset_s)

    def stats(self) -> dict[str, int]:
        """Counters for the metrics."""
        return {"refused_total": self.refused_total}
