"""Is the process alive, should it get new callers, and what does it count."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from signaling.metrics import Metrics

CHECK_TIMEOUT_S = 2.0

Check = Callable[[], Awaitable[object]]
"""Raises when what it looks at does not answer."""


class Health:
    """`/healthz`, `/readyz` and `/metrics`."""

    def __init__(self, metrics: Metrics, checks: Mapping[str, Check]) -> None:
        # passed in
        self._metrics = metrics
        self._checks = checks
        # made here
        self._draining = False

    def drain(self) -> None:
        """From now on not ready: balancers send new callers elsewhere."""
        self._draining = True

    def routes(self) -> list[web.RouteDef]:
        """The three paths."""
        return [
            web.get("/healthz", self.alive),
            web.get("/readyz", self.ready),
            web.get("/metrics", self.metrics),
        ]

    async def alive(self, request: web.Request) -> web.Response:
        """200 as long as the loop turns; `tokenim doctor` knows us by the name."""
        return web.json_response({"status": "ok", "server": "tokenim"})

    async def ready(self, request: web.Request) -> web.Response:
        """200 when every dependency answers, 503 when one does not or the process is leaving."""
        names = list(self._checks)
        results = await asyncio.gather(*(self._passes(name) for name in names))
        checks = dict(zip(names, results, strict=True))
        ready = all(results) and not self._draining
        status = "draining" if self._draining else "ready" if ready else "unavailable"
        return web.json_response({"status": status, "checks": checks}, status=200 if ready else 503)

    async def metrics(self, request: web.Request) -> web.Response:
        """Prometheus text."""
        return web.Response(
            text=self._metrics.render(),
            headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
        )

    async def _passes(self, name: str) -> bool:
        try:
            await asyncio.wait_for(self._checks[name](), CHECK_TIMEOUT_S)
        except Exception:  # noqa: BLE001 - a check may fail in any way; the answer is that it does
            return False
        return True
