"""Webhooks of a running process, received by a real HTTP server that is not always well."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from signaling.app import Process
from signaling.auth.registry import Registry
from signaling.client import Client
from signaling.config import load
from signaling.http.poster import is_public
from tests.conftest import UNHURRIED
from tests.receiver import Receiver

WAIT_S = 60
MASTER_KEY = "t3st-0nly-mAster-key-of-at-least-32-chars"


@dataclass
class World:
    """A running process and its app's key."""

    url: str
    auth: dict[str, str]
    http: aiohttp.ClientSession
    process: Process

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
                **UNHURRIED,
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
            return World(process.url, auth, http, process)

        yield run


async def _key(registry: Registry) -> tuple[str, str]:
    await registry.create_app("Shop", "shop")
    issued = await registry.create_key("shop", "server", ("admin", "tokens", "read", "write"))
    return issued.key.id, issued.secret


async def say(world: World, *texts: str) -> str:
    async with Client(world.url, await world.token("ann"), timeout_s=60) as client:
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


async def test_a_dead_letter_is_listed_and_sent_again(start: Start, receiver: Receiver) -> None:
    world = await start(allow_private=True)
    _, hook = await world.call("POST", "/v1/webhooks", url=receiver.url, events=["message:*"])
    receiver.answers, receiver.thinking = [500], asyncio.Event()
    await say(world, "lost", "behind")
    headers, _ = await receiver.next()
    delivery = headers["TokenIM-Id"]
    await world.process.hooking.outbox.bury(delivery, 1, "answered 500")
    receiver.thinking.set()
    _, body = await receiver.next()
    assert json.loads(body)["data"]["body"]["text"] == "behind"
    _, found = await world.call("GET", f"/v1/dead-letters?webhook={hook['webhook']}")
    (letter,) = found["dead_letters"]
    assert (letter["delivery"], letter["error"]) == (delivery, "answered 500")
    assert (await world.call("POST", "/v1/dead-letters/none/replay"))[0] == 404
    status, replayed = await world.call("POST", "/v1/dead-letters/replay")
    assert (status, replayed) == (200, {"replayed": 1})
    headers, body = await receiver.next()
    assert (headers["TokenIM-Id"], headers["TokenIM-Attempt"]) == (delivery, "1")
    assert json.loads(body)["data"]["body"]["text"] == "lost"
    _, found = await world.call("GET", "/v1/dead-letters")
    assert found["dead_letters"] == []
    _, trail = await world.call("GET", "/v1/audit")
    written = [record["action"] for record in trail["records"]]
    assert written.count("webhook:created") == written.count("dead_letters:replayed") == 1


async def test_a_webhook_that_fails_for_a_day_is_disabled_and_others_are_told(
    start: Start, receiver: Receiver
) -> None:
    world = await start(allow_private=True)
    _, well = await world.call("POST", "/v1/webhooks", url=receiver.url, events=["webhook:*"])
    gone = receiver.url.replace("/hook", "/gone")
    _, ill = await world.call("POST", "/v1/webhooks", url=gone, events=["message:*"])
    name = str(ill["webhook"])
    await world.process.hooking.webhooks.failing(name, 1)
    await say(world, "lost")
    _, body = await receiver.next()
    told = json.loads(body)
    assert (told["type"], told["data"]["webhook"]) == ("webhook:disabled", name)
    _, listed = await world.call("GET", "/v1/webhooks")
    disabled = {hook["webhook"]: hook.get("disabled_at") for hook in listed["webhooks"]}
    assert disabled[name]
    assert disabled[well["webhook"]] is None
    _, letters = await world.call("GET", f"/v1/dead-letters?webhook={name}")
    assert [one["error"] for one in letters["dead_letters"]] == ["disabled: answered 404"]
    assert (await world.call("POST", "/v1/webhooks/none/enable"))[0] == 404
    assert (await world.call("POST", f"/v1/webhooks/{name}/enable"))[0] == 200
    _, trail = await world.call("GET", "/v1/audit?action=webhook:*")
    acts = [(one["action"], one["actor"].split(":")[0]) for one in trail["records"][:2]]
    assert acts == [("webhook:enabled", "key"), ("webhook:disabled", "system")]
    _, listed = await world.call("GET", "/v1/webhooks")
    assert not any("disabled_at" in hook for hook in listed["webhooks"])


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


async def types(receiver: Receiver, *wanted: str) -> dict[str, dict[str, object]]:
    """The first body of each type, once all have come."""
    found: dict[str, dict[str, object]] = {}
    while not found.keys() >= set(wanted):
        _, body = await receiver.next()
        told = json.loads(body)
        found.setdefault(told["type"], told["data"])
    return found


async def test_what_is_not_in_the_log_is_told_too(start: Start, receiver: Receiver) -> None:
    world = await start(allow_private=True)
    await world.call("POST", "/v1/webhooks", url=receiver.url, events=["*"])
    ann, bob = await world.token("ann"), await world.token("bob")
    async with (
        Client(world.url, ann, timeout_s=60) as caller,
        Client(world.url, bob, timeout_s=60) as called,
    ):
        made = await caller.request(
            "conversation:create", type="direct", members=["bob"], client_id="d"
        )
        place = str(made["conversation"]["id"])
        sent = await caller.send(place, {"text": "hello"})
        await called.request("receipt:delivered", conversation=place, seq=sent["seq"])
        await called.request("receipt:read", conversation=place, seq=sent["seq"])
        rung = await caller.request(
            "call:invite", conversation=place, media="audio", client_id="ring"
        )
        await called.request("call:accept", call=rung["call"]["id"])
        await caller.request("call:hangup", call=rung["call"]["id"])
        told = await types(
            receiver,
            "message:created",
            "member:joined",
            "receipt:delivered",
            "receipt:read",
            "presence:changed",
            "call:ringing",
            "call:changed",
            "call:ended",
        )
    assert told["receipt:read"] == {"conversation": place, "user": "bob", "seq": sent["seq"]}
    assert told["presence:changed"]["status"] == "online"
    while True:
        _, body = await receiver.next()
        gone = json.loads(body)
        if gone["type"] == "presence:changed" and gone["data"]["status"] == "offline":
            break


async def test_a_file_is_told_when_it_is_whole(start: Start, receiver: Receiver) -> None:
    world = await start(allow_private=True)
    await world.call("POST", "/v1/webhooks", url=receiver.url, events=["file:*"])
    place = await say(world)
    content = b"whole"
    offer = {
        "conversation": place,
        "client_id": "f",
        "name": "a.txt",
        "size": len(content),
        "type": "text/plain",
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    _, offered = await world.call("POST", "/v1/files?as=ann", **offer)
    put = world.http.put(
        f"{world.url}/v1/files/{offered['file']}?as=ann", data=content, headers=world.auth
    )
    async with put as answer:
        assert answer.status == 201
    told = await types(receiver, "file:ready")
    assert told["file:ready"]["sha256"] == offer["sha256"]


async def test_a_filter_keeps_the_rest_away(start: Start, receiver: Receiver) -> None:
    world = await start(allow_private=True)
    await world.call("POST", "/v1/webhooks", url=receiver.url, events=["message:recalled"])
    async with Client(world.url, await world.token("ann"), timeout_s=60) as client:
        made = await client.request("conversation:create", type="group", client_id="g")
        place = str(made["conversation"]["id"])
        sent = await client.send(place, {"text": "oh"})
        await client.request("message:recall", conversation=place, seq=sent["seq"])
    _, body = await receiver.next()
    assert json.loads(body)["type"] == "message:recalled"
    assert receiver.got.empty()


async def test_bad_wishes_are_refused(start: Start) -> None:
    world = await start(allow_private=True)
    for wish in ({"url": "ftp://x"}, {"url": "https://x", "events": ["no spaces"]}, {}):
        status, answer = await world.call("POST", "/v1/webhooks", **wish)
        assert status == 400, answer
    assert (await world.call("DELETE", "/v1/webhooks/none"))[0] == 404
