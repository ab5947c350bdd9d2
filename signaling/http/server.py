"""The HTTP listener: one aiohttp application, its guards, its socket."""

import ssl
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger
from aiohttp.typedefs import Handler, Middleware

from signaling.config import HttpSettings
from signaling.http import guards, problems
from signaling.http.cors import Cors
from signaling.metrics import Counter, Metrics

BACKLOG: Final = 4096
"""Connections that wait to be accepted; the kernel takes as many as `net.core.somaxconn` allows.
Everybody comes back at once after a restart, and a client that found no room tries again after
1 s, 3 s, 7 s, …: with aiohttp's 128 that took longer than everything the server does for them.
"""


class Server:
    """Serves routes until closed. Others may attach to `application` before `start`."""

    def __init__(
        self,
        settings: HttpSettings,
        metrics: Metrics,
        tls: ssl.SSLContext | None = None,
        strict_transport: bool = False,
        origins: Sequence[str] = (),
    ) -> None:
        # passed in
        self._settings = settings
        self._tls = tls
        # made here
        self._requests = Counter("tokenim_http_requests_total", "method", "route", "status")
        self._seconds = Counter("tokenim_http_request_seconds_total", "method", "route")
        self._runner: web.AppRunner | None = None
        cors = Cors(origins)
        metrics.add(self._requests.samples)
        metrics.add(self._seconds.samples)
        self.application = web.Application(
            client_max_size=settings.max_body_bytes,
            middlewares=[
                guards.forwarded(guards.networks(settings.trusted_proxies)),
                self._counted,
                cors.middleware,
                problems.middleware,
            ],
        )
        self.application.on_response_prepare.append(guards.security_headers(strict_transport))
        self.application.on_response_prepare.append(cors.prepare)

    def within(self, middleware: Middleware) -> None:
        """Put a middleware nearest to the handlers, where a refusal is still an exception."""
        self.application.middlewares.append(middleware)

    def outside(
        self,
        middleware: Middleware,
        prepare: Callable[[web.Request, web.StreamResponse], Awaitable[None]],
    ) -> None:
        """Put a middleware where refusals are answers already; `prepare` sees streams begin."""
        middlewares = self.application.middlewares
        middlewares.insert(middlewares.index(problems.middleware), middleware)
        self.application.on_response_prepare.append(prepare)

    def add(self, routes: Iterable[web.RouteDef]) -> None:
        """Add a table of routes; earlier ones win."""
        self.application.router.add_routes(routes)

    async def start(self) -> None:
        """Bind and listen. Raises OSError when the address is taken."""
        self._runner = web.AppRunner(
            self.application,
            access_log_class=_NoAccessLog,
            keepalive_timeout=self._settings.idle_timeout_s,
            shutdown_timeout=self._settings.shutdown_timeout_s,
            handler_cancellation=True,
        )
        await self._runner.setup()
        site = web.TCPSite(
            self._runner,
            self._settings.host,
            self._settings.port,
            ssl_context=self._tls,
            backlog=BACKLOG,
        )
        await site.start()

    @property
    def port(self) -> int:
        """The port listened on; differs from the setting when that is 0."""
        addresses: Sequence[tuple[str, int]] = self._runner.addresses if self._runner else ()
        return addresses[0][1] if addresses else 0

    async def close(self) -> None:
        """Stop listening, let requests end, close connections."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @web.middleware
    async def _counted(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        started = time.monotonic()
        response = await handler(request)
        resource = request.match_info.route.resource
        route = resource.canonical if resource is not None else "none"
        self._requests.add(request.method, route, str(response.status))
        if response.status != 101:  # a socket's life is no latency
            self._seconds.add(request.method, route, by=time.monotonic() - started)
        return response


class _NoAccessLog(AbstractAccessLogger):
    """Requests are counted, not logged."""

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """Nothing."""

    @property
    def enabled(self) -> bool:
        """False: aiohttp skips the call."""
        return False
