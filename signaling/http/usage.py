"""REST for usage and plans: an app reads its own, an operator any, and assigns plans."""

from typing import Any

import msgspec
from aiohttp import web

from signaling.audit.trail import Trail
from signaling.errors import Refused
from signaling.http.bodies import read_struct
from signaling.http.callers import Callers
from signaling.protocol.usage import AssignPlan
from signaling.services.usage import UsageService


class UsageRoutes:
    """`/v1/usage` by API key, `/v1/plans` and `/v1/apps/{app}/…` with the scope `operator`."""

    def __init__(self, callers: Callers, usage: UsageService, trail: Trail) -> None:
        # passed in
        self._callers = callers
        self._usage = usage
        self._trail = trail

    def routes(self) -> list[web.RouteDef]:
        """All of them."""
        return [
            web.get("/v1/usage", self.mine),
            web.get("/v1/plans", self.plans),
            web.get("/v1/apps/{app}/usage", self.of_app),
            web.put("/v1/apps/{app}/plan", self.assign),
        ]

    async def mine(self, request: web.Request) -> web.Response:
        """Of the key's app: `?from=&to=&granularity=day|month`."""
        key = await self._callers.key(request, "read")
        return await self._answer(request, key.app)

    async def of_app(self, request: web.Request) -> web.Response:
        """Of any app."""
        await self._callers.key(request, "operator")
        return await self._answer(request, request.match_info["app"])

    async def plans(self, request: web.Request) -> web.Response:
        """Those configured."""
        await self._callers.key(request, "operator")
        return _json({"plans": self._usage.plans()})

    async def assign(self, request: web.Request) -> web.Response:
        """The plan of an app. Raises Refused: bad_request, not_found."""
        key = await self._callers.key(request, "operator")
        wish = await read_struct(request, AssignPlan)
        assigned = await self._usage.assign(request.match_info["app"], wish.plan)
        await self._trail.note(assigned.app, f"key:{key.id}", "plan:assigned", wish.plan)
        return _json(assigned)

    async def _answer(self, request: web.Request, app: str) -> web.Response:
        query = request.query
        granularity = query.get("granularity", "day")
        if "" in (query.get("from"), query.get("to")):
            raise Refused("bad_request", "`from` and `to` are days: YYYY-MM-DD")
        return _json(await self._usage.usage(app, query.get("from"), query.get("to"), granularity))


def _json(body: Any) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), content_type="application/json")
