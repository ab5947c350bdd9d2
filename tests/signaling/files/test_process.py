"""Files through whole processes: Socket.IO offers, HTTP carries, everybody hears of it."""

import hashlib
import io
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, encode_basic_auth
from PIL import Image

from signaling.app import Process
from signaling.client import Client
from signaling.errors import Refused
from signaling.model import Grants
from tests.conftest import MakeProcess
from tests.redis_server import RedisServer

CONTENT = os.urandom(900_000)


class Person:
    """A guest on one node."""

    def __init__(self, client: Client, token: str, http: ClientSession) -> None:
        self.client = client
        self.http = http
        self.headers = {"Authorization": f"Bearer {token}"}
        self.conversation = ""

    async def offer(self, content: bytes, **changes: Any) -> dict[str, Any]:
        fields = {
            "conversation": self.conversation,
            "client_id": "one",
            "name": "n.bin",
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            **changes,
        }
        return await self.client.request("file:offer", **fields)

    async def event(self, type_: str) -> dict[str, Any]:
        async for event in self.client.events():
            if event["type"] == type_:
                return event
        raise AssertionError("unreachable")


class Door:
    """Lets guests in."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack

    async def guest(self, process: Process, user: str) -> Person:
        async with (
            ClientSession(process.url) as http,
            http.post("/demo/token", json={"user": user, "name": user}) as answer,
        ):
            token = (await answer.json())["token"]
        person = await self.enter(process, token)
        joined = await person.client.request("conversation:join", alias="room", create=True)
        person.conversation = joined["conversation"]["id"]
        return person

    async def enter(self, process: Process, token: str) -> Person:
        """With a token of the app's making."""
        http = await self._stack.enter_async_context(ClientSession(process.url))
        client = await self._stack.enter_async_context(Client(process.url, token, timeout_s=60))
        return Person(client, token, http)


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with AsyncExitStack() as stack:
        yield Door(stack)


async def test_a_file_by_http_is_a_message_for_everyone(process: Process, door: Door) -> None:
    ann, bob = await door.guest(process, "ann"), await door.guest(process, "bob")
    offered = await ann.offer(CONTENT)
    async with ann.http.put(offered["upload_url"], data=CONTENT, headers=ann.headers) as put:
        assert put.status == 201
    message = await bob.event("message:created")
    assert (message["kind"], message["body"]["file"]) == ("file", offered["file"])
    assert (await bob.event("file:ready"))["message"] == message["seq"]
    fetched = await bob.client.request("file:fetch", file=offered["file"], offset=0)
    async with bob.http.get(fetched["download_url"], headers={"Range": "bytes=9-"}) as got:
        assert (got.status, await got.read()) == (206, CONTENT[9:])


async def test_a_picture_comes_with_its_thumbnail(process: Process, door: Door) -> None:
    ann = await door.guest(process, "ann")
    drawn = io.BytesIO()
    Image.linear_gradient("L").save(drawn, "PNG")
    offered = await ann.offer(drawn.getvalue(), type="image/png", name="p.png")
    drawn.seek(0)
    async with ann.http.put(offered["upload_url"], data=drawn, headers=ann.headers) as put:
        assert (await put.json())["image"]["width"] == 256
    fetched = await ann.client.request("file:fetch", file=offered["file"])
    async with ann.http.get(fetched["thumbnail_url"]) as got:
        assert (got.status, got.content_type) == (200, "image/webp")
        assert got.headers["Cache-Control"].startswith("public, max-age=")
        assert got.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert Image.open(io.BytesIO(await got.read())).size == (256, 256)


async def test_refusals_have_codes(make_process: MakeProcess, door: Door) -> None:
    process = await make_process(**{"limits.file_bytes": 1000, "limits.app_files_bytes": 1500})
    ann = await door.guest(process, "ann")
    for changes, code in [
        ({"name": "../x"}, "bad_request"),
        ({"sha256": "short"}, "bad_request"),
        ({"size": -1}, "bad_request"),
        ({"size": 1001}, "too_large"),
        ({"conversation": "c_none"}, "not_found"),
        ({"conversation": None}, "bad_request"),
    ]:
        with pytest.raises(Refused) as caught:
            await ann.offer(b"x", **changes)
        assert caught.value.code == code, changes
    await ann.offer(b"x" * 1000)
    with pytest.raises(Refused) as caught:
        await ann.offer(b"y" * 600, client_id="two")
    assert caught.value.code == "quota_exceeded"


async def test_an_upload_goes_on_after_the_process_was_restarted(
    make_process: MakeProcess, door: Door
) -> None:
    first = await make_process()
    ann = await door.guest(first, "ann")
    offered = await ann.offer(CONTENT)
    begun = {**ann.headers, "Content-Range": f"bytes 0-599999/{len(CONTENT)}"}
    url = offered["upload_url"]
    async with ann.http.put(url, data=CONTENT[:600_000], headers=begun) as put:
        assert put.status == 308
    await first.close()
    ann = await door.guest(await make_process(), "ann")
    resumed = await ann.offer(CONTENT)
    assert (resumed["file"], resumed["offset"]) == (offered["file"], 600_000)
    rest = {**ann.headers, "Content-Range": f"bytes 600000-{len(CONTENT) - 1}/{len(CONTENT)}"}
    async with ann.http.put(url, data=CONTENT[600_000:], headers=rest) as put:
        assert put.status == 201
    assert (await ann.event("message:created"))["body"]["size"] == len(CONTENT)


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.mark.redis
async def test_a_file_crosses_nodes(
    make_process: MakeProcess, door: Door, redis: RedisServer
) -> None:
    one, two = [await make_process(**{"redis.url": redis.url}) for _ in range(2)]
    ann, bob = await door.guest(one, "ann"), await door.guest(two, "bob")
    offered = await ann.offer(CONTENT)
    async with ann.http.put(offered["upload_url"], data=CONTENT, headers=ann.headers) as put:
        assert put.status == 201
    assert (await bob.event("file:ready"))["file"] == offered["file"]
    fetched = await bob.client.request("file:fetch", file=offered["file"])
    async with bob.http.get(fetched["download_url"]) as got:
        assert await got.read() == CONTENT


async def test_an_apps_administrator_gives_a_file_to_a_channel(
    process: Process, door: Door
) -> None:
    ann, bob = await door.guest(process, "ann"), await door.guest(process, "bob")
    channel = await ann.client.request(
        "conversation:create", type="channel", members=["bob"], title="news", client_id="c"
    )
    key = (await process.registry.create_key(ann.client.session["app"], "t", ("tokens",))).key.id
    token = await process.guarding.tokens.mint(key, "bob", grants=Grants(admin=True))
    chief = await door.enter(process, token)
    chief.conversation = bob.conversation = channel["conversation"]["id"]
    with pytest.raises(Refused) as caught:
        await bob.offer(CONTENT)
    assert caught.value.code == "forbidden"
    offered = await chief.offer(CONTENT)
    async with chief.http.put(offered["upload_url"], data=CONTENT, headers=chief.headers) as put:
        assert put.status == 201, await put.text()
    assert (await ann.event("file:ready"))["file"] == offered["file"]


async def test_the_apps_server_reads_what_its_user_may(process: Process, door: Door) -> None:
    ann = await door.guest(process, "ann")
    offered = await ann.offer(CONTENT)
    async with ann.http.put(offered["upload_url"], data=CONTENT, headers=ann.headers) as put:
        assert put.status == 201
    app = ann.client.session["app"]
    issued = await process.registry.create_key(app, "reader", ("read",))
    key, secret = issued.key, issued.secret
    for user, password, status in [
        ("ann", secret, 200),
        ("eve", secret, 404),
        ("ann", "wrong", 401),
        ("", secret, 400),
    ]:
        headers = {"Authorization": encode_basic_auth(key.id, password)}
        async with ann.http.get(f"{offered['upload_url']}?as={user}", headers=headers) as got:
            assert got.status == status
            await got.read()
