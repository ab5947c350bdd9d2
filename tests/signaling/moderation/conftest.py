"""A process, its app's server, and an app's hook that answers as a test says."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession, encode_basic_auth, web

from signaling.app import Process
from tests.conftest import MakeProcess


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow machine's hook answers in time, and one that rests does so for the whole test."""
    monkeypatch.setattr("signaling.moderation.presend.BUDGET_S", 60.0)
    monkeypatch.setattr("signaling.moderation.presend.REST_MS", 600_000)


class World:
    """`ask` is the app's server with an admin key."""

    def __init__(self, process: Process, http: ClientSession, key: str) -> None:
        self.process = process
        self.http = http
        self.key = key

    async def ask(
        self, method: str, path: str, body: Any = None, status: int = 200
    ) -> dict[str, Any]:
        """The answer, once its status was as expected."""
        async with self.http.request(method, f"/v1{path}", json=body) as answer:
            found: dict[str, Any] = await answer.json(content_type=None)
            assert answer.status == status, found
            return found

    async def acts(self, action: str | None = None) -> list[dict[str, Any]]:
        """The audit trail, newest first."""
        found = await self.ask("GET", "/audit" + (f"?action={action}" if action else ""))
        records: list[dict[str, Any]] = found["records"]
        return records


@pytest.fixture
async def world(make_process: MakeProcess) -> AsyncIterator[World]:
    process = await make_process(**{"http.webhooks_to_private": True})
    issued = await process.registry.create_key("demo", "server", ("admin",))
    auth = encode_basic_auth(issued.key.id, issued.secret)
    async with ClientSession(process.url, headers={"Authorization": auth}) as http:
        yield World(process, http, issued.key.id)


class Hook:
    """An app's server: `answer` gives what it says to a question."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[tuple[dict[str, str], bytes]] = []
        self.answer: Any = web.Response

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((dict(request.headers), await request.read()))
        made = self.answer()
        response: web.StreamResponse = await made if hasattr(made, "__await__") else made
        return response

    def says(self, **answer: Any) -> None:
        """The same to everything."""
        self.answer = lambda: web.json_response(answer)


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    made = Hook()
    application = web.Application()
    application.router.add_post("/check", made.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/check"
    yield made
    await runner.cleanup()
