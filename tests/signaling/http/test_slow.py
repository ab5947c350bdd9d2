"""Peers that send slowly, or nothing, or bytes that are no text: each costs a bounded time."""

import asyncio
import socket
from pathlib import Path

import msgspec
import pytest
from aiohttp import ClientSession, web

from media.whip.serving import Standalone
from signaling.http import bodies
from tests.conftest import MakeProcess
from tests.signaling.http.conftest import Serving

WAIT_S = 60.0
HEAD = b"GET /who HTTP/1.1\r\nHost: x\r\n"


class Thing(msgspec.Struct):
    name: str = ""


async def hello(request: web.Request) -> web.Response:
    return web.Response(text="hello")


async def thing(request: web.Request) -> web.Response:
    return web.Response(text=(await bodies.read_struct(request, Thing)).name)


async def answered(port: int, *sent: bytes) -> bytes:
    """Everything the server says until it closes, without a word more from here.

    What is sent is there before the server accepts, so its patience is with the rest only.
    """
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(b"".join(sent))
    reader, writer = await asyncio.open_connection(sock=connection)
    try:
        async with asyncio.timeout(WAIT_S):
            return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


def port_of(client: ClientSession) -> int:
    assert client._base_url is not None
    assert client._base_url.port is not None
    return client._base_url.port


@pytest.mark.parametrize(
    ("sent", "answers"),
    [(b"", 0), (b"GE", 0), (HEAD, 0), (HEAD + b"\r\n" + HEAD, 1)],
    ids=["silent", "half a line", "half a head", "a half second head"],
)
async def test_a_head_that_does_not_come_is_not_waited_for(
    serving: Serving, sent: bytes, answers: int
) -> None:
    client = await serving([web.get("/who", hello)], idle_timeout_s=0.3)
    assert (await answered(port_of(client), sent)).count(b"200 OK") == answers


@pytest.mark.parametrize("body", [b"", b'{"na'])
async def test_a_body_that_does_not_come_is_not_waited_for(
    serving: Serving, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    monkeypatch.setattr(bodies, "BODY_TIMEOUT_S", 0.2)
    client = await serving([web.post("/things", thing)], idle_timeout_s=0.3)
    head = b"POST /things HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n"
    said = await answered(port_of(client), head, body)
    assert b"504 Gateway Timeout" in said
    assert b'"code": "timeout"' in said


@pytest.mark.parametrize(
    "header",
    [
        b"Authorization: Bearer \xff\xfe",
        b"Authorization: Basic \xff\xfe",
        b"Authorization: Basic //4=",
        b"Authorization: \xff x",
    ],
)
async def test_credentials_that_are_no_text_are_refused(
    make_process: MakeProcess, header: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    process = await make_process()
    for path in (b"GET /v1/conversations", b"GET /v1/app", b"POST /whip/demo:x"):
        request = path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + header
        request += b"\r\nContent-Type: application/sdp\r\nContent-Length: 0\r\n\r\n"
        said = await answered(process.server.port, request)
        assert said.startswith(b"HTTP/1.1 4"), (path, said)
    assert "bug" not in caplog.text


async def test_the_forwarding_unit_alone_refuses_them_too(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    alone = Standalone(host="127.0.0.1", port=0, udp_port=0, token="ein schöner Schlüssel")
    await alone.start()
    try:
        port = int(alone.url.rpartition(":")[2])
        for token, status in ((b"\xff\xfe", b"401"), ("ein schöner Schlüssel".encode(), b"200")):
            head = b"GET /stats HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer "
            said = await answered(port, head + token + b"\r\n\r\n")
            assert said.startswith(b"HTTP/1.1 " + status), said
    finally:
        await alone.close()
    assert not caplog.records
