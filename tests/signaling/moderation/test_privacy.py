"""Who sees whom, in a running process."""

from typing import Any

import pytest

from tests.signaling.moderation.conftest import World
from tests.wire_client import WireClient


async def seen(watcher: WireClient, user: str) -> dict[str, Any]:
    (found,) = (await watcher.request("presence:watch", users=[user]))["users"]
    return dict(found)


async def both(world: World) -> tuple[WireClient, WireClient]:
    ann = await WireClient(world.process.url, "ann").connect()
    bob = await WireClient(world.process.url, "bob").connect()
    return ann, bob


@pytest.mark.parametrize("status", ["nobody", "shared"])
async def test_who_hides_is_offline_at_once_and_from_then_on(world: World, status: str) -> None:
    ann, bob = await both(world)
    assert (await seen(bob, "ann"))["status"] == "online"
    assert (await ann.request("presence:privacy", status=status))["status"] == status
    gone = await bob.until("presence:changed", user="ann", status="offline")
    assert gone["last_seen"] is None
    assert (await seen(bob, "ann"))["status"] == "offline"
    await ann.request("presence:set", status="busy")
    carl = await WireClient(world.process.url, "carl").connect()
    assert (await seen(carl, "bob"))["status"] == "online"
    assert (await seen(ann, "ann"))["status"] == "busy"
    assert bob.all("presence:changed", user="ann", status="busy") == []
    await ann.request("presence:privacy", status=None)
    assert (await seen(bob, "ann"))["status"] == "busy"


async def test_those_who_share_a_conversation_see_each_other(world: World) -> None:
    ann, bob = await both(world)
    await ann.request("presence:privacy", status="shared")
    assert (await seen(bob, "ann"))["status"] == "offline"
    await ann.request("conversation:create", type="direct", members=["bob"], client_id="d")
    assert (await seen(bob, "ann"))["status"] == "online"
    await ann.request("presence:set", status="away")
    await bob.until("presence:changed", user="ann", status="away")


async def test_last_seen_is_kept_to_oneself(world: World) -> None:
    ann, bob = await both(world)
    await ann.request("presence:privacy", last_seen="nobody")
    await seen(bob, "ann")
    await ann.close()
    gone = await bob.until("presence:changed", user="ann", status="offline")
    assert gone["last_seen"] is None
    assert (await seen(bob, "ann"))["last_seen"] is None


async def test_the_app_says_what_holds_for_who_chose_nothing(world: World) -> None:
    ann, bob = await both(world)
    await world.ask("PATCH", "/app/settings", {"presence": {"status": "nobody"}})
    assert (await seen(bob, "ann"))["status"] == "offline"
    assert await ann.request("presence:privacy", status="everyone") == {
        "ok": True,
        "status": "everyone",
        "last_seen": "everyone",
    }
    assert (await seen(bob, "ann"))["status"] == "online"


async def test_whoever_is_blocked_while_watching_sees_no_more(world: World) -> None:
    ann, bob = await both(world)
    await seen(bob, "ann")
    await ann.request("user:block", user="bob")
    await bob.until("presence:changed", user="ann", status="offline")
    await ann.request("presence:set", status="busy")
    assert (await seen(ann, "ann"))["status"] == "busy"
    assert (await seen(bob, "ann"))["status"] == "offline"
    assert bob.all("presence:changed", user="ann", status="busy") == []


async def test_choices_are_forgotten_with_the_user(world: World) -> None:
    ann, bob = await both(world)
    await ann.request("presence:privacy", status="nobody")
    await world.process.moderating.forget("demo", "ann")
    assert (await seen(bob, "ann"))["status"] == "online"
