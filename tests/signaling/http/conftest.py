"""A listening server on a free port, and a client for it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack

import pytest
from aiohttp import ClientSession, web

from signaling.config import HttpSettings
from signaling.http.server import Server
from signaling.metrics import Metrics

Serving = Callable[..., Awaitable[ClientSession]]


@pytest.fixture
async def serving() -> AsyncIterator[Serving]:
    """`await serving(routes, **http_settings)` gives a client whose base is the new server."""
    async with AsyncExitStack() as stack:

        async def serve(
            routes: Iterable[web.RouteDef], metrics: Metrics | None = None, **changes: object
        ) -> ClientSession:
            settings = HttpSettings(port=0, **changes)  # type: ignore[arg-type]
            server = Server(settings, metrics or Metrics())
            server.add(routes)
            await server.start()
            stack.push_async_callback(server.close)
            client = ClientSession(f"http://127.0.0.1:{server.port}")
            return await stack.enter_async_context(client)

        yield serve
