"""The whole process: what it serves, how it starts, how it ends."""

import asyncio
import socket
import ssl
from pathlib import Path

import pytest
from aiohttp import ClientSession

from signaling import dev
from signaling.app import Process
from signaling.client import Client
from signaling.config import ConfigError, load
from tests.conftest import MakeProcess

JSON = {"Content-Type": "application/json"}


async def guest(url: str, user: str) -> str:
    async with (
        ClientSession() as session,
        session.post(f"{url}/demo/token", json={"user": user}) as response,
    ):
        token: str = (await response.json())["token"]
        return token


async def test_it_serves_page_schemas_health_and_metrics(process: Process) -> None:
    async with ClientSession(process.url) as session:
        for path in ("/", "/docs", "/openapi.json", "/healthz", "/readyz", "/metrics"):
            async with session.get(path) as response:
                assert response.status == 200, path
        async with session.get("/metrics") as response:
            text = await response.text()
    for name in ("tokenim_gateway_connections", "tokenim_media_rooms", "tokenim_http_requests"):
        assert name in text


async def test_it_starts_again_on_what_it_kept(make_process: MakeProcess) -> None:
    first = await make_process()
    async with Client(first.url, await guest(first.url, "ann")) as ann:
        joined = await ann.request("conversation:join", alias="tea", create=True)
        await ann.send(joined["conversation"]["id"], {"text": "still here"})
    await first.close()
    second = await make_process()
    async with Client(second.url, await guest(second.url, "ann")) as ann:
        found = await ann.request("history:get", conversation="tea", limit=10)
    assert found["events"][-1]["body"] == {"text": "still here"}


async def test_background_work_has_the_database_until_it_is_broken_off(
    make_process: MakeProcess,
) -> None:
    process = await make_process()
    begun, last = asyncio.Event(), list[str]()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            last.extend(app.id for app in await process.registry.apps())

    process._tasks.spawn(work(), "work")
    await begun.wait()
    await process.close()
    assert last == ["demo"]


async def test_draining_sends_clients_elsewhere(process: Process) -> None:
    async with ClientSession(process.url) as session:
        async with session.get("/readyz") as response:
            assert response.status == 200
        await process.drain()
        async with session.get("/readyz") as response:
            assert (response.status, (await response.json())["status"]) == (503, "draining")
        async with session.get("/healthz") as response:
            assert response.status == 200


async def test_without_media_it_still_carries_messages(make_process: MakeProcess) -> None:
    process = await make_process(**{"media.enabled": False})
    async with Client(process.url, await guest(process.url, "ann")) as ann:
        joined = await ann.request("conversation:join", alias="tea", create=True)
        sent = await ann.send(joined["conversation"]["id"], {"text": "no media"})
    assert sent["ok"]


@pytest.mark.parametrize("kind", ["tcp", "udp"])
async def test_a_taken_port_leaves_nothing_open(tmp_path: Path, kind: str) -> None:
    """Unclosed sockets and databases would warn, and warnings are errors here."""
    with socket.socket(type=socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind == "tcp":
            taken.listen()
        ports = {"http.port": 0, "media.port": 0}
        ports["http.port" if kind == "tcp" else "media.port"] = taken.getsockname()[1]
        options = {**ports, "dev.enabled": True, "storage.data_dir": tmp_path}
        process = Process(dev.with_secrets(load(env={}, options=options)))
        with pytest.raises(OSError, match=str(taken.getsockname()[1])):
            await process.start()


async def test_there_is_no_start_without_a_master_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="master_key is not set"):
        Process(load(env={}, options={"storage.data_dir": tmp_path}))


async def test_it_serves_https_with_a_certificate_of_its_own(make_process: MakeProcess) -> None:
    process = await make_process(**{"http.tls_self": True})
    assert process.url.startswith("https://")
    cert = process._settings.storage.data_dir / "tls-self.crt"
    trust = ssl.create_default_context(cafile=str(cert))
    async with ClientSession() as session, session.get(process.url, ssl=trust) as response:
        assert response.status == 200


async def test_guests_are_who_they_say_and_no_more(process: Process) -> None:
    async with ClientSession(process.url) as session:
        for body in ('{"user": "a b"}', '{"user": ""}', '{"user": 1}', "[]", "{"):
            async with session.post("/demo/token", data=body, headers=JSON) as response:
                assert response.status == 400, body
        async with session.post("/demo/token", data="") as response:
            assert (await response.json())["user"].startswith("guest-")
