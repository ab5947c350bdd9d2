"""The published schemas: whole, and of what the process really answers."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from aiohttp import ClientSession

from signaling.app import Process
from signaling.errors import CODES
from signaling.protocol.rest import OPERATIONS, SOCKET_ONLY

UNPUBLISHED = {
    ("GET", "/v1/jobs/{job}/archive"),  # reached by its signed link only
    ("GET", "/v1/{rest}"),
}


@pytest.fixture
async def client(process: Process) -> AsyncIterator[ClientSession]:
    async with ClientSession(process.url) as session:
        yield session


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    if isinstance(node, list):
        for value in node:
            yield from references(value)


def resolved(document: Any, reference: str) -> Any:
    for part in reference.removeprefix("#/").split("/"):
        document = document[part.replace("~1", "/").replace("~0", "~")]
    return document


@pytest.mark.parametrize("path", ["/openapi.json", "/asyncapi.json"])
async def test_every_reference_leads_somewhere(client: ClientSession, path: str) -> None:
    async with client.get(path) as response:
        document = await response.json()
    found = list(references(document))
    assert len(found) > 20
    for reference in found:
        assert resolved(document, reference)


async def test_openapi_names_what_is_served(client: ClientSession) -> None:
    async with client.get("/openapi.json") as response:
        document = await response.json()
    assert document["openapi"] == "3.1.0"
    operations = [entry for path in document["paths"].values() for entry in path.values()]
    names = [entry["operationId"] for entry in operations if "operationId" in entry]
    assert len(names) == len(set(names))
    for path, methods in document["paths"].items():
        for method in methods:
            real = path.replace("{", "").replace("}", "").replace("seq", "1")
            async with client.request(method, real) as response:
                assert response.status == 401, f"{method} {path}"


async def test_every_route_is_published(client: ClientSession, process: Process) -> None:
    async with client.get("/openapi.json") as response:
        published = (await response.json())["paths"]
    known = {(method.upper(), path) for path, methods in published.items() for method in methods}
    served = {
        (route.method, route.resource.canonical)
        for route in process.server.application.router.routes()
        if route.resource is not None and route.resource.canonical.startswith("/v1/")
    }
    served = {(method, path) for method, path in served if method not in ("*", "HEAD")}
    assert served - known <= UNPUBLISHED
    assert not known - served


async def test_every_request_of_the_wire_has_a_path_or_a_reason(process: Process) -> None:
    paths = {operation.event for operation in OPERATIONS}
    assert not paths & set(SOCKET_ONLY)
    assert set(process.table) - paths - set(SOCKET_ONLY) == set()


async def test_asyncapi_names_every_request_and_event(
    client: ClientSession, process: Process
) -> None:
    async with client.get("/asyncapi.json") as response:
        document = await response.json()
    assert document["asyncapi"] == "3.0.0"
    messages = document["channels"]["socket"]["messages"]
    assert {"message:send", "message:created", "media:offer", "session:ready"} <= set(messages)
    assert document["operations"]["onMessageSend"]["action"] == "receive"
    assert document["operations"]["emitMessageCreated"]["action"] == "send"


async def test_the_pages_render_and_run_nothing(client: ClientSession) -> None:
    for path, said in (("/docs", "/v1/conversations"), ("/docs/events", "message:send")):
        async with client.get(path) as response:
            page = await response.text()
        assert f"<code>{said}</code>" in page
        assert "<script" not in page
        assert "style=" not in page
        assert "http://" not in page
        assert "src=http" not in page
    async with client.get("/docs/errors") as response:
        page = await response.text()
    assert all(f"id={code}" in page for code in CODES)
    async with client.get("/docs/style.css") as response:
        assert response.content_type == "text/css"
