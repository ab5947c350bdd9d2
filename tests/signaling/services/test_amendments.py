"""What may still be done to a message that is gone, or about to be."""

from pathlib import Path
from typing import Any

import pytest

from signaling.adapters.sql.retention import SqlRetention
from signaling.services.limits import Limits
from tests.house import House, opened


async def pins(house: House, user: str, conversation: str) -> list[int]:
    found = await house.ask(user, "conversation:get", conversation=conversation)
    return list(found["conversation"]["settings"].get("pins", []))


@pytest.mark.parametrize("swept", [False, True])
async def test_an_expired_message_does_not_come_back(house: House, swept: bool) -> None:
    name = await house.group("ann", "bob")
    seq = await house.send("ann", name, "burns soon", expires_in=1)
    house.now += 1_000
    if swept:
        assert await house.messaging.scheduling.expire() == 1
    about = {"conversation": name, "seq": seq}
    for event, more in (
        ("message:edit", {"body": {"text": "burns not"}}),
        ("message:pin", {}),
        ("reaction:set", {"emoji": "x"}),
    ):
        assert await house.refused("ann", event, **about, **more) == "not_found", event
    assert "burns" not in str(await house.events("bob", name))
    await house.ask("ann", "message:recall", **about)


async def test_an_edit_lives_no_longer_than_its_message(house: House) -> None:
    name = await house.group("ann", "bob")
    seq = await house.send("ann", name, "burns", expires_in=1)
    await house.ask("ann", "message:edit", conversation=name, seq=seq, body={"text": "glows"})
    edited = (await house.events("bob", name))[-1]
    assert (edited["body"], edited["expires_at"]) == ({"text": "glows"}, house.now + 1_000)
    house.now += 1_000
    assert "glows" not in str(await house.events("bob", name))
    assert await house.messaging.scheduling.expire() == 1
    kept = await house.log.get(name, edited["seq"])
    assert kept is not None
    assert kept.data["body"] is None


async def by_recall(house: House, name: str, seq: int) -> None:
    await house.ask("ann", "message:recall", conversation=name, seq=seq)


async def by_expiry(house: House, name: str, seq: int) -> None:
    house.now += 60_000
    assert await house.messaging.scheduling.expire() == 1


async def by_retention(house: House, name: str, seq: int) -> None:
    await SqlRetention(house.database).blank(name, house.now + 1, 100)


@pytest.mark.parametrize("emptied", [by_recall, by_expiry, by_retention])
async def test_what_is_gone_holds_no_place_among_the_pins(tmp_path: Path, emptied: Any) -> None:
    async with opened(tmp_path / "pins.db", Limits(pins=1)) as house:
        name = await house.group("ann", "bob")
        expires = {"expires_in": 60} if emptied is by_expiry else {}
        seq = await house.send("ann", name, **expires)
        await house.ask("ann", "message:pin", conversation=name, seq=seq)
        await emptied(house, name, seq)
        assert await pins(house, "bob", name) == []
        gone = await house.log.get(name, seq)
        assert gone is not None
        assert not gone.data.get("pinned")
        pin = {"conversation": name, "seq": seq}
        assert await house.refused("ann", "message:pin", **pin) == "not_found"
        other = await house.send("ann", name)
        await house.ask("ann", "message:pin", conversation=name, seq=other)
        assert await pins(house, "bob", name) == [other]


async def test_nothing_is_pinned_in_an_archived_conversation(house: House) -> None:
    name = await house.group("ann", "bob")
    first, second = await house.send("ann", name), await house.send("ann", name)
    await house.ask("ann", "message:pin", conversation=name, seq=first)
    await house.ask("ann", "conversation:archive", conversation=name, scope="all")
    pin = {"conversation": name, "seq": second}
    assert await house.refused("ann", "message:pin", **pin) == "forbidden"
    assert await house.refused("ann", "message:pin", **{**pin, "seq": first}, on=False) == (
        "forbidden"
    )
    assert await pins(house, "bob", name) == [first]
