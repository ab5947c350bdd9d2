"""An app's server: takes webhooks, and is not always well."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

WAIT_S = 120


@dataclass
class Receiver:
    """An app's server: answers what `answers` says, 200 when it says nothing."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    got: asyncio.Queue[tuple[dict[str, str], bytes]] = field(default_factory=asyncio.Queue)
    thinking: asyncio.Event | None = None
    """Answers come when it is set."""

    async def receive(self, request: web.Request) -> web.Response:
        self.got.put_nowait((dict(request.headers), await request.read()))
        if self.thinking is not None:
            await self.thinking.wait()
        return web.Response(status=self.answers.pop(0) if self.answers else 200)

    async def next(self) -> tuple[dict[str, str], bytes]:
        async with asyncio.timeout(WAIT_S):
            return await self.got.get()


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """One that listens on a free port."""
    one = Receiver()
    application = web.Application()
    application.router.add_post("/hook", one.receive)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    one.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield one
    finally:
        await runner.cleanup()
