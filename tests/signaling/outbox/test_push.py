"""Web Push of a running process, decrypted by a browser's keys behind a real push service."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession

from signaling.adapters.sql.push import SqlSubscriptions
from signaling.app import Process
from signaling.client import Client
from signaling.errors import Refused
from tests.conftest import MakeProcess
from tests.push_service import WAIT_S, Browser, PushService, claims, push_service
from tests.receiver import Receiver
from tests.wire_client import demo_token


@pytest.fixture
async def service() -> AsyncIterator[PushService]:
    async with push_service() as one:
        yield one


@pytest.fixture
async def house(make_process: MakeProcess) -> Process:
    return await make_process(
        **{"http.webhooks_to_private": True, "push.contact": "mailto:ops@example.org"}
    )


@asynccontextmanager
async def person(process: Process, name: str) -> AsyncIterator[Client]:
    """Somebody with a socket, while it lasts; then they are seen to be gone."""
    token = await asyncio.to_thread(demo_token, process.url, name)
    async with Client(process.url, token, device=f"{name}-phone", timeout_s=60) as client:
        yield client
    (app,) = await process.registry.apps()
    async with asyncio.timeout(WAIT_S):
        while await process.hooking.presence._present.live(app.id, [name]):
            await asyncio.sleep(0.01)


async def place_of(client: Client, *members: str) -> str:
    made = await client.request(
        "conversation:create", type="group", title="Tea", members=members, client_id="g"
    )
    return str(made["conversation"]["id"])


async def asleep(process: Process, name: str, browser: Browser, **preference: object) -> str:
    """Subscribe, perhaps say what one wants to hear of, and go. The app's key."""
    async with person(process, name) as client:
        await client.request("push:subscribe", **browser.subscription())
        if preference:
            await client.request("conversation:prefer", **preference)
        return str((await client.request("push:key"))["key"])


async def test_a_message_wakes_who_is_away_and_only_their_browser_can_read_it(
    house: Process, service: PushService
) -> None:
    bob, cy = service.browser("bob"), service.browser("cy")
    async with person(house, "ann") as ann, person(house, "cy") as here:
        place = await place_of(ann, "bob", "cy")
        await here.request("push:subscribe", **cy.subscription())
        await here.request("presence:set", status="invisible")
        key = await asleep(house, "bob", bob)
        sent = await ann.send(place, {"text": "x" * 500}, mentions=["bob"])
        headers, told = await bob.next()
    assert {name: told[name] for name in ("type", "conversation", "seq", "title", "sender")} == {
        "type": "message",
        "conversation": place,
        "seq": sent["seq"],
        "title": "Tea",
        "sender": "ann",
    }
    assert told["mentioned"] is True
    assert len(told["body"]) == 140
    assert headers["Content-Encoding"] == "aes128gcm"
    assert int(headers["TTL"]) > 3600
    said = claims(headers, key, service.url)
    assert said["sub"] == "mailto:ops@example.org"
    assert cy.tries == 0, "cy is here, if invisible"


async def test_a_call_wakes_urgently(house: Process, service: PushService) -> None:
    bob = service.browser("bob")
    async with person(house, "ann") as ann:
        made = await ann.request(
            "conversation:create", type="direct", members=["bob"], client_id="d"
        )
        await asleep(house, "bob", bob)
        rung = await ann.request(
            "call:invite",
            conversation=made["conversation"]["id"],
            media="video",
            client_id="ring",
        )
        headers, told = await bob.next()
        await ann.request("call:cancel", call=rung["call"]["id"])
    assert (told["type"], told["call"], told["media"]) == ("call", rung["call"]["id"], "video")
    assert told["sender_name"] == "Ann"
    assert headers["Urgency"] == "high"
    assert int(headers["TTL"]) <= 45


@pytest.mark.parametrize(
    "preference",
    [{"notify": "none"}, {"notify": "mentions"}, {"silent_until": 2**50}],
)
async def test_settings_are_respected(
    house: Process, service: PushService, preference: dict[str, object]
) -> None:
    bob, cy = service.browser("bob"), service.browser("cy")
    async with person(house, "ann") as ann:
        place = await place_of(ann, "bob", "cy")
        await asleep(house, "bob", bob, conversation=place, **preference)
        await asleep(house, "cy", cy)
        await ann.send(place, {"text": "quiet"})
        await cy.next()
        async with person(house, "bob") as awake:
            plain = {"silent_until": None, "notify": "all"}
            await awake.request("conversation:prefer", conversation=place, **plain)
        await ann.send(place, {"text": "loud"})
        _, told = await bob.next()
    assert told["body"] == "loud"
    assert bob.tries == 1


async def test_a_mention_is_heard_by_who_wants_mentions(
    house: Process, service: PushService
) -> None:
    bob = service.browser("bob")
    async with person(house, "ann") as ann:
        place = await place_of(ann, "bob")
        await asleep(house, "bob", bob, conversation=place, notify="mentions")
        await ann.send(place, {"text": "plain"})
        await ann.send(place, {"text": "for all"}, mentions=["*"])
        _, told = await bob.next()
    assert (told["body"], told["mentioned"]) == ("for all", True)
    assert bob.tries == 1


async def test_who_blocks_the_sender_is_not_woken(house: Process, service: PushService) -> None:
    bob, cy = service.browser("bob"), service.browser("cy")
    async with person(house, "ann") as ann:
        place = await place_of(ann, "bob", "cy")
        async with person(house, "bob") as blocking:
            await blocking.request("user:block", user="ann")
        await asleep(house, "bob", bob)
        await asleep(house, "cy", cy)
        await ann.send(place, {"text": "hello"})
        await cy.next()
    assert bob.tries == 0


async def one_left(process: Process, user: str) -> None:
    """What the push service said of the other has been taken to heart."""
    subscriptions = SqlSubscriptions(process.hooking.webhooks._database)
    (app,) = await process.registry.apps()
    async with asyncio.timeout(WAIT_S):
        while len(await subscriptions.of(app.id, user)) > 1:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("status", [404, 410])
async def test_a_browser_that_is_gone_is_forgotten(
    house: Process, service: PushService, status: int
) -> None:
    gone, stays = service.browser("gone"), service.browser("stays")
    gone.answers = [status]
    async with person(house, "ann") as ann:
        place = await place_of(ann, "bob")
        await asleep(house, "bob", gone)
        await asleep(house, "bob", stays)
        await ann.send(place, {"text": "one"})
        await stays.next()
        await one_left(house, "bob")
        await ann.send(place, {"text": "two"})
        await stays.next()
        async with person(house, "bob") as bob:
            endpoint = gone.subscription()["endpoint"]
            removed = await bob.request("push:unsubscribe", endpoint=endpoint)
    assert gone.tries == 1
    assert removed["removed"] is False


async def test_a_push_service_that_is_busy_is_asked_again(
    house: Process, service: PushService
) -> None:
    bob = service.browser("bob")
    bob.answers = [503, 429]
    async with person(house, "ann") as ann:
        place = await place_of(ann, "bob")
        await asleep(house, "bob", bob)
        await ann.send(place, {"text": "patience"})
        _, told = await bob.next()
    assert told["body"] == "patience"
    assert bob.tries == 3


async def test_impossible_keys_are_refused(house: Process, service: PushService) -> None:
    good = service.browser("bob").subscription()
    async with person(house, "bob") as bob:
        for keys in (
            {**good["keys"], "p256dh": "A" * 87},
            {**good["keys"], "auth": "A" * 24},
            {**good["keys"], "p256dh": "short"},
        ):
            with pytest.raises(Refused) as refused:
                await bob.request("push:subscribe", endpoint=good["endpoint"], keys=keys)
            assert refused.value.code == "bad_request"


async def test_who_unsubscribed_is_left_alone(house: Process, service: PushService) -> None:
    bob, other = service.browser("bob"), service.browser("other")
    async with person(house, "ann") as ann:
        place = await place_of(ann, "bob")
        await asleep(house, "bob", bob)
        await asleep(house, "bob", other)
        async with person(house, "bob") as awake:
            left = await awake.request("push:unsubscribe", endpoint=bob.endpoint)
        await ann.send(place, {"text": "hello"})
        await other.next()
    assert left["removed"] is True
    assert bob.tries == 0


async def test_apps_get_what_they_pass_on_to_phones(
    house: Process, service: PushService, receiver: Receiver
) -> None:
    hook = {"url": receiver.url, "events": ("push",)}
    await add_webhook(house, **hook)
    async with person(house, "ann") as ann, person(house, "cy"):
        place = await place_of(ann, "bob", "cy")
        async with person(house, "bob") as bob:
            await bob.request("presence:set", status="busy")
        await ann.send(place, {"text": "hello"}, mentions=["bob"])
        _, body = await receiver.next()
    told = json.loads(body)
    assert told["type"] == "push"
    assert told["data"]["users"] == ["bob"]
    assert told["data"]["mentioned"] == ["bob"]
    assert told["data"]["notification"]["body"] == "hello"


async def add_webhook(house: Process, url: str, events: tuple[str, ...]) -> None:
    """As the guests' app would."""
    (app,) = await house.registry.apps()
    await house.hooking.add(app.id, url, events)


async def test_over_rest_too(house: Process, service: PushService) -> None:
    bob = service.browser("bob")
    async with person(house, "ann") as ann:
        place = await place_of(ann, "bob")
        token = await asyncio.to_thread(demo_token, house.url, "bob")
        headers = {"Authorization": f"Bearer {token}"}
        async with ClientSession(house.url, headers=headers) as http:
            async with http.get("/v1/push/key") as answer:
                assert len((await answer.json())["key"]) == 87
            async with http.post("/v1/push/subscriptions", json=bob.subscription()) as answer:
                assert answer.status == 201
            await ann.send(place, {"text": "hello"})
            await bob.next()
            where = {"endpoint": bob.endpoint}
            async with http.delete("/v1/push/subscriptions", params=where) as answer:
                assert (await answer.json())["removed"] is True
