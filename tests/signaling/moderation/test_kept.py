"""What moderation changed is told to the sender; edits are looked at once they may be made."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.signaling.moderation.conftest import Hook, World
from tests.signaling.moderation.test_screen import Pair, refused


@pytest.fixture
async def pair(world: World) -> AsyncIterator[Pair]:
    made = await Pair(world).open()
    yield made
    await made.close()


async def test_the_ack_says_what_is_kept_where_that_is_something_else(pair: Pair) -> None:
    words = {"words": ["bad"], "action": "mask"}
    await pair.world.ask("PATCH", "/app/settings", {"word_filter": words})
    assert "body" not in await pair.say("a good day", "m0")
    assert (await pair.say("a bad day"))["body"] == {"text": "a *** day"}
    again = await pair.say("a bad day")
    assert (again["duplicate"], again["body"]) == (True, {"text": "a *** day"})
    await pair.bob.request("message:recall", conversation=pair.id, seq=again["seq"])
    assert "body" not in await pair.say("a bad day")


async def test_also_where_the_apps_hook_replaced_it(pair: Pair, hook: Hook) -> None:
    await pair.world.ask("PATCH", "/app/settings", {"pre_send": {"url": hook.url}})
    hook.says(action="replace", body={"text": "[link removed]"})
    assert (await pair.say("http://x"))["body"] == {"text": "[link removed]"}
    assert (await pair.say("http://x"))["body"] == {"text": "[link removed]"}


async def test_nobody_is_asked_about_an_edit_that_may_not_be(pair: Pair, hook: Hook) -> None:
    """Before, whoever knew an id had the app's server look at anything, of any size."""
    seq = (await pair.say("mine"))["seq"]
    await pair.world.ask("PATCH", "/app/settings", {"pre_send": {"url": hook.url}})
    edit: dict[str, Any] = {"conversation": pair.id, "seq": seq, "body": {"text": "x"}}
    for asking, change, code in (
        (pair.ann, {}, "forbidden"),
        (pair.ann, {"seq": 99}, "not_found"),
        (pair.bob, {"conversation": "c_none"}, "not_found"),
        (pair.bob, {"body": {"text": "x" * 40_000}}, "too_large"),
        (pair.bob, {"body": {"text": ""}}, "bad_request"),
    ):
        error = await refused(asking.request("message:edit", **{**edit, **change}))
        assert error.code == code
    assert hook.asked == []
    await pair.bob.request("message:edit", **edit)
    assert len(hook.asked) == 1


async def test_an_edit_is_asked_about_as_the_kind_it_is(pair: Pair, hook: Hook) -> None:
    sent = await pair.say("", type="app.card", body={"title": "one"}, mentions=["ann"])
    await pair.world.ask("PATCH", "/app/settings", {"pre_send": {"url": hook.url}})
    await pair.bob.request(
        "message:edit", conversation=pair.id, seq=sent["seq"], body={"title": "two"}
    )
    assert json.loads(hook.asked[0][1])["data"] == {
        "conversation": pair.id,
        "sender": "bob",
        "kind": "app.card",
        "body": {"title": "two"},
        "edits": sent["seq"],
        "mentions": ["ann"],
    }
