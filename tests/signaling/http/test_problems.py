"""Refusals of every kind have one shape, and our own bugs say nothing but a number."""

import io
import logging
from typing import Any

import msgspec
import pytest
from aiohttp import ClientSession, web

from signaling.errors import CODES, Refused
from signaling.http.bodies import read_struct
from signaling.http.problems import STATUS
from tests.signaling.http.conftest import Serving

JSON = {"Content-Type": "application/json"}


class Wish(msgspec.Struct):
    name: str = "nobody"
    extra: Any = None


async def echo(request: web.Request) -> web.Response:
    return web.json_response({"name": (await read_struct(request, Wish)).name})


async def refuse(request: web.Request) -> web.Response:
    raise Refused(request.query["code"], "because", retry_after_ms=1500)  # type: ignore[arg-type]


async def fail(request: web.Request) -> web.Response:
    raise KeyError("the database password")


async def moved(request: web.Request) -> web.Response:
    raise web.HTTPFound("/elsewhere")


@pytest.fixture
async def client(serving: Serving) -> ClientSession:
    return await serving(
        [
            web.post("/echo", echo),
            web.get("/refuse", refuse),
            web.get("/fail", fail),
            web.get("/moved", moved),
        ],
        max_body_bytes=1024 * 1024,
    )


async def test_every_code_has_a_status() -> None:
    assert set(STATUS) == set(CODES)


@pytest.mark.parametrize("code", CODES)
async def test_a_refusal_is_a_problem(client: ClientSession, code: str) -> None:
    async with client.get("/refuse", params={"code": code}) as response:
        body = await response.json(content_type="application/problem+json")
    assert response.status == STATUS[code]  # type: ignore[index]
    assert response.headers["Retry-After"] == "2"
    assert body["code"] == code
    assert body["detail"] == "because"
    assert body["retry_after_ms"] == 1500
    assert body["type"] == f"/docs/errors#{code}"
    assert ("WWW-Authenticate" in response.headers) == (code == "unauthorized")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [("GET", "/nowhere", 404, "not_found"), ("DELETE", "/echo", 405, "unsupported")],
)
async def test_so_are_unknown_paths_and_methods(
    client: ClientSession, method: str, path: str, status: int, code: str
) -> None:
    async with client.request(method, path) as response:
        body = await response.json(content_type="application/problem+json")
    assert (response.status, body["status"], body["code"]) == (status, status, code)


async def test_a_redirect_is_no_problem(client: ClientSession) -> None:
    async with client.get("/moved", allow_redirects=False) as response:
        assert response.headers["Location"] == "/elsewhere"


async def test_a_bug_is_logged_once_and_shown_as_a_number(
    client: ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    async with client.get("/fail") as response:
        text = await response.text()
    assert response.status == 500
    assert "password" not in text
    (record,) = caplog.records
    assert record.getMessage().split()[1] in text


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 200),
        (b'{"name": "x"}', 200),
        (b'{"name": 1}', 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[" * 100_000, 400),
        (b'{"name": ' + b"[" * 100_000, 400),
        (b'{"name": NaN}', 400),
        (b'{"extra": [{"n": 9223372036854775807}]}', 200),
        (b'{"extra": [{"n": 9223372036854775808}]}', 400),
        (b'{"extra": 1e300}', 400),
        (b'{"unknown": [{"n": 9223372036854775808}]}', 200),
        (b'{"unknown": 1e300}', 200),
        (b'{"name": "' + b"x" * 2_000_000 + b'"}', 413),
    ],
)
async def test_bad_bodies_are_refused(client: ClientSession, body: bytes, status: int) -> None:
    async with client.post("/echo", data=io.BytesIO(body), headers=JSON) as response:
        assert response.status == status
        assert (response.content_type == "application/problem+json") == (status != 200)
    async with client.post("/echo", data=b"{}", headers=JSON) as response:
        assert response.status == 200


async def test_a_body_of_another_kind_is_unsupported(client: ClientSession) -> None:
    async with client.post("/echo", data={"name": "a form"}) as response:
        body = await response.json(content_type="application/problem+json")
    assert (response.status, body["code"]) == (415, "unsupported")
