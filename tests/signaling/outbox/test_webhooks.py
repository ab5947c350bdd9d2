"""Webhooks of a running process, received by a real HTTP server that is not always well."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from signaling.app import Process
from signaling.auth.registry import Registry
from signaling.client import Client
from signaling.config import load
from signaling.http.poster import is_public

WAIT_S = 30
MASTER_KEY = "t3st-0nly-mAster-key-of-at-least-32-chars"


@dataclass
class Receiver:
    """An app's server: answers what `answers` says, 200 when it says nothing."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    got: "asyncio.Queue[tuple[dict[str, str], bytes]]" = field(default_factory=asyncio.Queue)

    async def receive(self, request: web.Request) -> web.Response:
        self.got.put_nowait((dict(request.headers), await request.read()))
        return web.Response(status=self.answers.pop(0) if self.answers else 200)

    async def next(self) -> tuple[dict[str, str], bytes]:
        async with asyncio.timeout(WAIT_S):
            return await self.got.get()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    one = Receiver()
    application = web.Application()
    application.router.add_post("/hook", one.receive)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    one.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield one
    await runner.cleanup()


@dataclass
class World:
    """A running process and its app's key."""

    url: str
    auth: dict[str, str]
    http: aiohttp.ClientSession

    async def call(self, method: str, path: str, **body: object) -> tuple[int, dict[str, object]]:
        send = self.http.request(method, self.url + path, json=body, headers=self.auth)
        async with send as answer:
            return answer.status, await answer.json(content_type=None)

    async def token(self, user: str) -> str:
        _, answer = await self.call("POST", "/v1/tokens", user=user)
        return str(answer["token"])


Start = Callable[..., Awaitable["World"]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    async with AsyncExitStack() as stack:

        async def run(*, allow_private: bool) -> World:
            options = {
                "http.port": 0,
                "media.enabled": False,
                "storage.data_dir": tmp_path,
                "master_key": MASTER_KEY,
                "http.webhooks_to_private": allow_private,
            }
            process = Process(load(env={}, options=options))
            await process.start()
            stack.push_async_callback(process.close)
            http = await stack.enter_async_context(aiohttp.ClientSession())
            key, secret = await _key(process.registry)
            auth = {"Authorization": aiohttp.encode_basic_auth(key, secret)}
            return World(process.url, auth, http)

        yield run


async def _key(registry: Registry) -> tuple[str, str]:
    await registry.create_app("Shop", "shop")
    issued = await registry.create_key("shop", "server", ("admin", "tokens", "read", "write"))
    return issued.key.id, issued.secret


async def say(world: World, *texts: str) -> str:
    async with Client(world.url, await world.token("ann")) as client:
        made = await client.request("conversation:create", type="group", client_id="room")
        place = str(made["conversation"]["id"])
        for text in texts:
            await client.send(place, {"text": text})
        return place


async def test_what_was_appended_is_posted_signed_and_in_order(
    start: Start, receiver: Receiver
) -> None:
    world = await start(allow_private=True)
    status, hook = await world.call(
        "POST", "/v1/webhooks", url=receiver.url, events=["message:created"]
    )
    assert status == 201
    await say(world, "one", "two", "three")
    texts = []
    for _ in range(3):
        headers, body = await receiver.next()
        signed = headers["TokenIM-Timestamp"].encode() + b"." + body
        wanted = hmac.new(str(hook["secret"]).encode(), signed, hashlib.sha256).hexdigest()
        assert headers["TokenIM-Signature"] == f"v1={wanted}"
        texts.append(json.loads(body)["data"]["body"]["text"])
    assert texts == ["one", "two", "three"]


async def test_a_failure_is_repeated_and_what_is_behind_it_waits(
    start: Start, receiver: Receiver
) -> None:
    world = await start(allow_private=True)
    await world.call("POST", "/v1/webhooks", url=receiver.url, events=["message:created"])
    receiver.answers = [503]
    await say(world, "first", "second")
    seen = [await receiver.next() for _ in range(3)]
    texts = [json.loads(body)["data"]["body"]["text"] for _, body in seen]
    assert texts == ["first", "first", "second"]
    assert [headers["TokenIM-Attempt"] for headers, _ in seen] == ["1", "2", "1"]
    assert seen[0][0]["TokenIM-Id"] == seen[1][0]["TokenIM-Id"]


async def test_targets_in_private_networks_are_refused(start: Start, receiver: Receiver) -> None:
    world = await start(allow_private=False)
    await world.call("POST", "/v1/webhooks", url=receiver.url)
    local = receiver.url.replace("127.0.0.1", "localhost")
    await world.call("POST", "/v1/webhooks", url=local)
    await say(world, "secret")
    async with asyncio.timeout(WAIT_S):
        while True:
            async with world.http.get(world.url + "/metrics") as answer:
                text = await answer.text()
            if _number(text, "tokenim_outbox_failed_total") >= 2:
                break
            await asyncio.sleep(0.05)
    assert receiver.got.empty()


def _number(metrics: str, name: str) -> float:
    rows = [line for line in metrics.splitlines() if line.startswith(name)]
    return float(rows[0].split()[-1]) if rows else 0


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fd00::1", "::ffff:10.0.0.1", "0.0.0.0"],
)
def test_private_addresses_are_known(address: str) -> None:
    assert not is_public(address)


def test_public_addresses_are_known() -> None:
    assert is_public("9.9.9.9")
    assert is_public("2620:fe::fe")


async def test_bad_wishes_are_refused(start: Start) -> None:
    world = await start(allow_private=True)
    for wish in ({"url": "ftp://x"}, {"url": "https://x", "events": ["no spaces"]}, {}):
        status, answer = await world.call("POST", "/v1/webhooks", **wish)
        assert status == 400, answer
    assert (await world.call("DELETE", "/v1/webhooks/none"))[0] == 404
