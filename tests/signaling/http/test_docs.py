"""The published schemas: whole, and of what the process really answers."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from aiohttp import ClientSession

from signaling.app import Process
from signaling.errors import CODES
from signaling.protocol.answers import ANSWERS
from signaling.protocol.management import MANAGEMENT
from signaling.protocol.rest import OPERATIONS, SOCKET_ONLY
from tests.fitting import check_answer, check_event

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


def done(document: Any, method: str, path: str) -> Any:
    """The schema of what is answered when an operation is carried out."""
    responses = document["paths"][path][method]["responses"]
    (status,) = [status for status in responses if status != "default"]
    return responses[status]["content"]["application/json"]["schema"]


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


async def test_openapi_says_what_is_answered(client: ClientSession) -> None:
    async with client.get("/openapi.json") as response:
        document = await response.json()
    schema = done(document, "get", "/v1/conversations")
    assert schema == {"$ref": "#/components/schemas/ConversationPage"}
    events = done(document, "get", "/v1/conversations/{conversation}/events")
    page, following = events["allOf"]  # on the wire it has no `next`
    assert resolved(document, page["$ref"])["properties"]["events"]["type"] == "array"
    assert following["required"] == ["next"]


async def test_every_answer_to_a_user_is_typed(client: ClientSession) -> None:
    async with client.get("/openapi.json") as response:
        document = await response.json()
    for operation in OPERATIONS:
        schema = done(document, operation.method.lower(), "/v1" + operation.path)
        assert list(references(schema)), operation


async def test_every_answer_to_an_apps_server_is_typed(client: ClientSession) -> None:
    async with client.get("/openapi.json") as response:
        document = await response.json()
    for row in MANAGEMENT:
        schema = done(document, row.method.lower(), "/v1" + row.path)
        assert list(references(schema)), row
    put = document["paths"]["/v1/files/{file}"]["put"]["responses"]["201"]
    schema = resolved(document, put["content"]["application/json"]["schema"]["$ref"])
    assert schema["properties"]["seq"]["anyOf"] == [{"type": "integer"}, {"type": "null"}]


async def test_asyncapi_says_what_is_answered_and_told(client: ClientSession) -> None:
    async with client.get("/asyncapi.json") as response:
        document = await response.json()
    ack, refused = document["operations"]["onMessageSend"]["reply"]["messages"]
    _, answer = resolved(document, ack["$ref"])["payload"]["allOf"]
    names = [one["$ref"].rpartition("/")[2] for one in answer["anyOf"]]
    assert names == ["Sent", "Waiting"]
    assert "error" in resolved(document, refused["$ref"])["payload"]["required"]
    told = document["channels"]["socket"]["messages"]["message:created"]["payload"]
    created = resolved(document, told["$ref"])["properties"]
    assert created["type"] == {"enum": ["message:created"]}
    assert created["seq"] == {"type": "integer"}


async def test_every_request_has_an_answer(process: Process) -> None:
    assert set(ANSWERS) == set(process.table)


@pytest.mark.parametrize(
    "said",
    [
        {"delivered": 3, "read": 2, "seen": 1},
        {"delivered": 3},
        {"delivered": 3, "read": "2"},
    ],
)
def test_what_is_not_published_is_noticed(said: dict[str, Any]) -> None:
    check_answer("receipt:read", {"delivered": 3, "read": 2})
    with pytest.raises(AssertionError, match="receipt:read is not as published"):
        check_answer("receipt:read", said)
    with pytest.raises(AssertionError, match="receipt:updated is not as published"):
        check_event("receipt:updated", {"conversation": "c", "user": "ann", **said})


async def test_the_pages_render_and_run_nothing(client: ClientSession) -> None:
    for path, said in (("/docs", "/v1/conversations"), ("/docs/events", "message:send")):
        async with client.get(path) as response:
            page = await response.text()
        assert f"<code>{said}</code>" in page
        assert "<code>unread_total</code>" in page  # what is answered is shown too
        assert "<script" not in page
        assert "style=" not in page
        assert "http://" not in page
        assert "src=http" not in page
    async with client.get("/docs/errors") as response:
        page = await response.text()
    assert all(f"id={code}" in page for code in CODES)
    async with client.get("/docs/style.css") as response:
        assert response.content_type == "text/css"
