"""Whatever is left below /v1: no such path, or not with this method."""

from aiohttp import hdrs, web


class Unknown:
    """The last route of /v1, so that no page answers in its place."""

    def routes(self) -> list[web.RouteDef]:
        """Every method, every path."""
        return [web.route("*", path, self.refuse) for path in ("/v1", "/v1/{rest:.*}")]

    async def refuse(self, request: web.Request) -> web.StreamResponse:
        """405 with `Allow` where another method would do, else 404."""
        mine = request.match_info.route.resource
        allowed: set[str] = set()
        for resource in request.app.router.resources():
            if resource is mine:
                break
            _, methods = await resource.resolve(request)
            allowed |= methods
        allowed.discard(hdrs.METH_ANY)
        if allowed:
            raise web.HTTPMethodNotAllowed(request.method, allowed)
        raise web.HTTPNotFound(reason="no such path")
