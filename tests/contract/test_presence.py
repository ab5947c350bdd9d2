"""The PresenceManager's contract."""

from __future__ import annotations

from signaling.model import Presence
from signaling.ports import PresenceManager
from tests.contract.worlds import PERIOD_MS, World


async def one(presence: PresenceManager, user: str = "ann") -> Presence:
    (found,) = await presence.get("app", [user])
    return found


async def test_strangers_are_offline_in_the_order_asked(world: World) -> None:
    presence = world.presence()
    await presence.put("app", "bob", "phone", "c1", "", None)
    found = await presence.get("app", ["ann", "bob", "cy"])
    assert [(p.user, p.status) for p in found] == [
        ("ann", "offline"),
        ("bob", "online"),
        ("cy", "offline"),
    ]
    assert await presence.get("app", []) == []


async def test_who_is_invisible_is_live_all_the_same(world: World) -> None:
    presence = world.presence()
    await presence.put("app", "ann", "phone", "c1", "invisible", None)
    await presence.put("app", "bob", "phone", "c2", "", None)
    assert await presence.live("app", ["ann", "bob", "cy"]) == {"ann", "bob"}
    await presence.remove("app", "ann", "c1")
    assert await presence.live("app", ["ann", "bob"]) == {"bob"}
    assert await presence.live("app", []) == set()


async def test_apps_do_not_see_each_other(world: World) -> None:
    presence = world.presence()
    await presence.put("app", "ann", "phone", "c1", "", None)
    (found,) = await presence.get("other", ["ann"])
    assert found.status == "offline"


async def test_devices_are_counted_once_each(world: World) -> None:
    presence = world.presence()
    assert await presence.put("app", "ann", "phone", "c1", "", None)
    assert not await presence.put("app", "ann", "phone", "c2", "", None)
    assert await presence.put("app", "ann", "laptop", "c3", "", None)
    assert (await one(presence)).devices == 2
    assert not await presence.remove("app", "ann", "c1")
    assert await presence.remove("app", "ann", "c2")
    assert (await one(presence)).devices == 1


async def test_the_last_one_out_leaves_last_seen(world: World) -> None:
    presence = world.presence()
    await presence.put("app", "ann", "phone", "c1", "", None)
    assert (await one(presence)).last_seen is None
    assert await presence.remove("app", "ann", "c1")
    gone = await one(presence)
    assert gone.status == "offline"
    assert gone.last_seen is not None
    assert not await presence.remove("app", "ann", "c1")


async def test_busy_is_said_for_all_devices_and_kept_by_new_ones(world: World) -> None:
    presence = world.presence()
    await presence.put("app", "ann", "phone", "c1", "", None)
    assert await presence.put("app", "ann", "phone", "c1", "busy", "in a meeting")
    await presence.put("app", "ann", "laptop", "c2", "", None)
    found = await one(presence)
    assert (found.status, found.text) == ("busy", "in a meeting")
    assert await presence.put("app", "ann", "laptop", "c2", "online", "")
    found = await one(presence)
    assert (found.status, found.text) == ("online", None)


async def test_away_shows_when_every_connection_is_away(world: World) -> None:
    presence = world.presence()
    await presence.put("app", "ann", "phone", "c1", "", None)
    assert await presence.put("app", "ann", "phone", "c1", "away", None)
    assert (await one(presence)).status == "away"
    await presence.put("app", "ann", "laptop", "c2", "", None)
    assert (await one(presence)).status == "online"


async def test_the_invisible_look_offline(world: World) -> None:
    presence = world.presence()
    await presence.put("app", "ann", "phone", "c1", "", None)
    assert await presence.put("app", "ann", "phone", "c1", "invisible", None)
    hidden = await one(presence)
    assert (hidden.status, hidden.devices) == ("offline", 0)
    assert hidden.last_seen is not None
    assert not await presence.put("app", "ann", "laptop", "c2", "", None)
    assert await presence.put("app", "ann", "phone", "c1", "online", None)


async def test_who_is_not_touched_expires_and_is_told_once(world: World) -> None:
    presence = world.presence()
    await presence.put("app", "ann", "phone", "c1", "", None)
    assert await presence.expire() == []
    await world.passes(PERIOD_MS)
    assert await presence.expire() == [("app", "ann")]
    assert await presence.expire() == []
    found = await one(presence)
    assert found.status == "offline"
    assert found.last_seen is not None


async def test_touching_keeps_alive(world: World) -> None:
    presence = world.presence()
    await presence.put("app", "ann", "phone", "c1", "", None)
    await presence.put("app", "bob", "phone", "c2", "", None)
    await world.passes(PERIOD_MS // 2)
    await presence.touch([("app", "ann", "c1"), ("app", "cy", "c9")])
    await world.passes(PERIOD_MS // 2)
    assert await presence.expire() == [("app", "bob")]
    assert (await one(presence)).status == "online"


async def test_devices_are_known_one_by_one(world: World) -> None:
    presence = world.presence()
    await presence.put("app", "ann", "phone", "c1", "online", None)
    await presence.put("app", "ann", "laptop", "c2", "invisible", None)
    assert await presence.devices("app", ["ann", "bob"]) == {
        "ann": {"phone", "laptop"},
        "bob": set(),
    }
    await presence.remove("app", "ann", "c1")
    assert await presence.devices("app", ["ann"]) == {"ann": {"laptop"}}
    assert await presence.devices("app", []) == {}
