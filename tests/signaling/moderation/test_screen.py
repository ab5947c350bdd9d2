"""What a message must pass before it is kept, in a running process."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web

from signaling.errors import Refused
from signaling.http.poster import HttpPoster
from signaling.moderation.presend import FAILURES_MAX, PreSend, Said
from signaling.outbox.webhook import signature
from signaling.protocol.settings import PreSendHook
from tests.conftest import MakeProcess
from tests.signaling.moderation.conftest import Hook, World
from tests.wire_client import RequestRefused, WireClient


class Pair:
    """Ann and Bob in a group."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ann = WireClient(world.process.url, "ann")
        self.bob = WireClient(world.process.url, "bob")
        self.id = ""

    async def open(self) -> "Pair":
        await self.ann.connect()
        joined = await self.ann.request("conversation:join", alias="hall", create=True)
        self.id = joined["conversation"]["id"]
        await self.bob.connect()
        await self.bob.request("conversation:join", conversation=self.id)
        return self

    async def close(self) -> None:
        await self.ann.close()
        await self.bob.close()

    async def say(self, text: str, client_id: str = "m1", **more: Any) -> dict[str, Any]:
        body = {"text": text}
        sent = {"client_id": client_id, "type": "text", "body": body, **more}
        return await self.bob.request("message:send", conversation=self.id, **sent)

    async def texts(self) -> list[Any]:
        page = await self.ann.request("history:get", conversation=self.id, after=0)
        kept = [event for event in page["events"] if event["type"] == "message:created"]
        return [event["body"]["text"] for event in kept]


@pytest.fixture
async def pair(world: World) -> Any:
    made = await Pair(world).open()
    yield made
    await made.close()


async def refused(asking: Any) -> RequestRefused:
    with pytest.raises(RequestRefused) as caught:
        await asking
    return caught.value


async def test_words_are_refused_in_messages_and_edits(pair: Pair) -> None:
    await pair.world.ask("PATCH", "/app/settings", {"word_filter": {"words": ["坏蛋", "bad"]}})
    assert (await refused(pair.say("你是坏 蛋"))).code == "forbidden"
    seq = (await pair.say("fine"))["seq"]
    edit = pair.bob.request("message:edit", conversation=pair.id, seq=seq, body={"text": "BAD"})
    assert (await refused(edit)).code == "forbidden"
    assert await pair.texts() == ["fine"]


async def test_words_are_masked_and_a_resend_is_the_same_message(pair: Pair) -> None:
    words = {"words": ["bad"], "action": "mask"}
    await pair.world.ask("PATCH", "/app/settings", {"word_filter": words})
    first = await pair.say("a bad day")
    assert await pair.texts() == ["a *** day"]
    again = await pair.say("a bad day")
    assert (again["seq"], again["duplicate"]) == (first["seq"], True)
    assert (await refused(pair.say("another"))).code == "conflict"


async def test_a_resend_gets_the_first_answer_whatever_is_set_since(pair: Pair) -> None:
    first = await pair.say("a bad day")
    await pair.world.ask("PATCH", "/app/settings", {"word_filter": {"words": ["bad"]}})
    assert (await refused(pair.say("a bad day", "m2"))).code == "forbidden"
    again = await pair.say("a bad day")
    assert (again["seq"], again["duplicate"]) == (first["seq"], True)


async def test_a_hook_is_asked_with_a_signature_and_may_allow(pair: Pair, hook: Hook) -> None:
    wish = {"pre_send": {"url": hook.url}}
    secret = (await pair.world.ask("PATCH", "/app/settings", wish))["pre_send_secret"]
    assert "pre_send_secret" not in await pair.world.ask("GET", "/app/settings")
    seq = (await pair.say("hello", mentions=["ann"]))["seq"]
    ((headers, body),) = hook.asked
    signed = signature(secret.encode(), headers["TokenIM-Timestamp"], body)
    assert headers["TokenIM-Signature"] == signed
    question = json.loads(body)
    assert (question["type"], question["app"]) == ("message:check", "demo")
    assert question["data"] == {
        "conversation": pair.id,
        "sender": "bob",
        "kind": "text",
        "body": {"text": "hello"},
        "client_id": "m1",
        "mentions": ["ann"],
    }
    await pair.bob.request("message:edit", conversation=pair.id, seq=seq, body={"text": "x"})
    assert json.loads(hook.asked[1][1])["data"]["edits"] == seq


async def test_a_hook_refuses_with_a_reason_and_is_not_asked_about_a_resend(
    pair: Pair, hook: Hook
) -> None:
    await pair.world.ask("PATCH", "/app/settings", {"pre_send": {"url": hook.url}})
    await pair.say("one")
    hook.says(action="refuse", reason="no links")
    error = await refused(pair.say("two", "m2"))
    assert str(error) == "forbidden: no links"
    assert (await pair.say("one"))["duplicate"]
    assert len(hook.asked) == 2
    assert await pair.texts() == ["one"]


async def test_a_hook_replaces_the_body_once(pair: Pair, hook: Hook) -> None:
    await pair.world.ask("PATCH", "/app/settings", {"pre_send": {"url": hook.url}})
    hook.says(action="replace", body={"text": "[link removed]"})
    first = await pair.say("http://x")
    again = await pair.say("http://x")
    assert (again["seq"], again["duplicate"]) == (first["seq"], True)
    assert await pair.texts() == ["[link removed]"]
    hook.says(action="replace", body={"text": ""})
    assert (await refused(pair.say("x", "m2"))).code == "bad_request"


async def test_messages_keep_their_order_while_the_hook_thinks(pair: Pair, hook: Hook) -> None:
    await pair.world.ask("PATCH", "/app/settings", {"pre_send": {"url": hook.url}})
    gate = asyncio.Event()

    async def slow() -> web.Response:
        if len(hook.asked) == 1:
            await gate.wait()
        return web.Response()

    hook.answer = slow
    sending = [asyncio.ensure_future(pair.say(f"{n}", f"m{n}")) for n in range(4)]
    while not hook.asked:
        await asyncio.sleep(0.01)
    gate.set()
    await asyncio.gather(*sending)
    assert await pair.texts() == ["0", "1", "2", "3"]


async def garbage() -> web.Response:
    return web.Response(text="not json")


async def error() -> web.Response:
    return web.Response(status=500)


async def silence() -> web.Response:
    await asyncio.Event().wait()
    return web.Response()


@pytest.mark.parametrize("answer", [garbage, error, silence])
async def test_a_hook_that_fails_is_open_or_closed(
    pair: Pair, hook: Hook, answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if answer is silence:
        monkeypatch.setattr("signaling.moderation.presend.BUDGET_S", 0.3)
    hook.answer = answer
    await pair.world.ask("PATCH", "/app/settings", {"pre_send": {"url": hook.url}})
    await pair.say("goes on")
    closed = {"url": hook.url, "fail": "closed"}
    await pair.world.ask("PATCH", "/app/settings", {"pre_send": closed})
    assert (await refused(pair.say("stays", "m2"))).code == "unavailable"
    monkeypatch.setattr("signaling.moderation.presend.BUDGET_S", 60.0)
    hook.answer = web.Response
    assert not (await pair.say("stays", "m2"))["duplicate"]
    assert await pair.texts() == ["goes on", "stays"]


async def test_a_hook_that_keeps_failing_rests(pair: Pair, hook: Hook) -> None:
    hook.answer = error
    await pair.world.ask("PATCH", "/app/settings", {"pre_send": {"url": hook.url}})
    for number in range(8):
        await pair.say("goes on", f"m{number}")
    assert len(hook.asked) == 5


async def test_a_hook_that_fails_for_one_app_is_asked_for_another(hook: Hook) -> None:
    """An app may name another's address: its failures are its own."""
    theirs = PreSendHook(url=hook.url)
    said = Said(conversation="c", sender="bob", kind="text", body={"text": "x"})
    async with HttpPoster(allow_private=True) as poster:
        presend = PreSend(poster, lambda _: b"k" * 32, lambda: 1)
        hook.answer = error
        for _ in range(FAILURES_MAX + 1):
            await presend.body("other", theirs, said)
        assert len(hook.asked) == FAILURES_MAX
        hook.says(action="refuse")
        with pytest.raises(Refused):
            await presend.body("demo", theirs, said)


@pytest.mark.parametrize("number", [2**63, 2**64, -(2**63) - 1])
async def test_a_replacement_with_an_integer_over_64_bits_is_a_failure(
    pair: Pair, hook: Hook, number: int
) -> None:
    hook.says(action="replace", body={"text": "y", "at": [{"n": number}]})
    closed = {"url": hook.url, "fail": "closed"}
    await pair.world.ask("PATCH", "/app/settings", {"pre_send": closed})
    assert (await refused(pair.say("x"))).code == "unavailable"
    hook.says(action="replace", body={"text": "y", "n": 2**63 - 1})
    await pair.say("x")
    assert await pair.texts() == ["y"]


async def test_a_replacement_that_brings_no_body_is_a_failure(pair: Pair, hook: Hook) -> None:
    hook.says(action="replace")
    closed = {"url": hook.url, "fail": "closed"}
    await pair.world.ask("PATCH", "/app/settings", {"pre_send": closed})
    assert (await refused(pair.say("x"))).code == "unavailable"
    hook.says(action="replace", body={})
    assert (await refused(pair.say("x"))).code == "unavailable"
    await pair.world.ask("PATCH", "/app/settings", {"pre_send": {"url": hook.url}})
    await pair.say("x")
    assert await pair.texts() == ["x"]


async def test_a_hook_in_a_private_network_is_not_asked(
    make_process: MakeProcess, hook: Hook
) -> None:
    process = await make_process()
    await process.registry.update_app(
        "demo", {"pre_send": {"url": hook.url, "fail": "closed"}}, by="key:x"
    )
    ann = WireClient(process.url, "ann")
    try:
        await ann.connect()
        joined = await ann.request("conversation:join", alias="hall", create=True)
        sent = {"client_id": "m", "type": "text", "body": {"text": "x"}}
        name = joined["conversation"]["id"]
        asking = ann.request("message:send", conversation=name, **sent)
        assert (await refused(asking)).code == "unavailable"
    finally:
        await ann.close()
    assert hook.asked == []


async def test_the_apps_recall_limit_and_slow_mode_hold_where_none_is_set(pair: Pair) -> None:
    await pair.world.ask("PATCH", "/app/settings", {"slow_mode_ms": 600_000})
    seq = (await pair.say("one"))["seq"]
    assert (await refused(pair.say("two", "m2"))).code == "rate_limited"
    edited = {"conversation": pair.id, "seq": seq, "body": {"text": "uno"}}
    await pair.bob.request("message:edit", **edited)
    await pair.world.ask("PATCH", "/app/settings", {"slow_mode_ms": None, "recall_limit_ms": 1})
    assert (await refused(pair.bob.request("message:edit", **edited))).code == "forbidden"
    recall = pair.bob.request("message:recall", conversation=pair.id, seq=seq)
    assert (await refused(recall)).code == "forbidden"
    await pair.say("two", "m2")
