"""Messages that wait: answered once, tried again, and never in each other's way."""

from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from signaling.adapters.sql import SqlWaiting
from signaling.errors import Refused
from signaling.moderation.presend import Said
from signaling.moderation.screen import NoScreen
from signaling.protocol.settings import AppSettings
from signaling.services.limits import Limits
from signaling.services.scheduling import AGAIN_MAX_MS, AGAIN_MS, GIVE_UP_MS, GROUP
from tests.conftest import MakeProcess
from tests.house import House, opened
from tests.wire_client import RequestRefused, WireClient


def later(house: House, conversation: str, client_id: str = "later", **more: Any) -> dict[str, Any]:
    """A message for in a second."""
    return {
        "conversation": conversation,
        "client_id": client_id,
        "type": "text",
        "body": {"text": "good morning"},
        "send_at": house.now + 1_000,
        **more,
    }


async def due(house: House) -> int:
    """One look at what is due."""
    return await house.messaging.scheduling.send_due()


async def waiting(house: House, user: str) -> list[str]:
    """client_ids."""
    return [item["client_id"] for item in (await house.ask(user, "scheduled:list"))["scheduled"]]


async def test_a_resend_after_its_time_gets_the_message_that_was_sent(house: House) -> None:
    name = await house.group("ann", "bob")
    send = later(house, name)
    kept = await house.ask("ann", "message:send", **send)
    house.now = send["send_at"] + 1
    assert await house.ask("ann", "message:send", **send) == kept
    assert await due(house) == 1
    again = await house.ask("ann", "message:send", **send)
    sent = (await house.events("bob", name))[-1]
    assert (again["id"], again["seq"], again["duplicate"]) == (sent["id"], sent["seq"], True)
    other = {**send, "body": {"text": "good night"}}
    assert await house.refused("ann", "message:send", **other) == "conflict"
    fresh = {**send, "client_id": "never seen"}
    assert await house.refused("ann", "message:send", **fresh) == "bad_request"
    assert await due(house) == 0


async def test_another_payload_under_a_waiting_client_id_is_a_conflict(house: House) -> None:
    name = await house.group("ann", "bob")
    send = later(house, name)
    await house.ask("ann", "message:send", **send)
    house.now = send["send_at"] + 1
    other = {**send, "body": {"text": "good night"}}
    assert await house.refused("ann", "message:send", **other) == "conflict"


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[House]:
    async with opened(tmp_path / "small.db", Limits(scheduled=2)) as made:
        yield made


async def test_so_many_messages_of_one_user_wait_and_no_more(small: House) -> None:
    name = await small.group("ann", "bob")
    kept = [
        await small.ask("ann", "message:send", **later(small, name, client_id))
        for client_id in ("1", "2", "1")
    ]
    assert kept[0] == kept[2]
    third = later(small, name, "3")
    assert await small.refused("ann", "message:send", **third) == "quota_exceeded"
    await small.ask("bob", "message:send", **third)
    await small.ask("ann", "scheduled:cancel", scheduled=kept[0]["scheduled"])
    await small.ask("ann", "message:send", **third)
    assert sorted(await waiting(small, "ann")) == ["2", "3"]


async def test_the_number_is_a_setting(make_process: MakeProcess) -> None:
    process = await make_process(**{"limits.scheduled": 0})
    ann = await WireClient(process.url, "ann").connect()
    joined = await ann.request("conversation:join", alias="hall", create=True)
    asked = {"conversation": joined["conversation"]["id"], "client_id": "1", "type": "text"}
    send_at = ann.ready["server_time"] + 3_600_000
    with pytest.raises(RequestRefused) as refused:
        await ann.request("message:send", **asked, body={"text": "x"}, send_at=send_at)
    assert refused.value.code == "quota_exceeded"
    await ann.close()


async def slow(house: House, pause_ms: int) -> str:
    """A conversation in which bob has just written and may not again for a while."""
    name = await house.group("ann", "bob")
    await house.ask("ann", "conversation:update", conversation=name, slow_mode_ms=pause_ms)
    return name


async def test_who_cannot_be_sent_yet_stands_in_nobodys_way(house: House) -> None:
    stuck, free = await slow(house, 600_000), await house.group("ann", "bob")
    for number in range(GROUP):
        await house.ask("bob", "message:send", **later(house, stuck, f"stuck {number}"))
    await house.send("bob", stuck)
    send = later(house, free, "free", send_at=house.now + 2_000)
    await house.ask("ann", "message:send", **send)
    house.now += 2_000
    assert await due(house) == GROUP
    assert await due(house) == 1
    assert await waiting(house, "ann") == []
    assert len(await waiting(house, "bob")) == GROUP
    assert await due(house) == 0


class Away(NoScreen):
    """An app whose hook is away and which keeps nothing unseen."""

    def looks(self, settings: AppSettings) -> bool:
        return True

    async def body(self, app: str, settings: AppSettings, said: Said) -> dict[str, Any]:
        raise Refused("unavailable", "the app cannot check messages now")


class Meanwhile(NoScreen):
    """An app whose hook thinks for a while, in which something happens once."""

    def __init__(self, happens: Callable[[], Awaitable[Any]]) -> None:
        self._happens: Callable[[], Awaitable[Any]] | None = happens

    def looks(self, settings: AppSettings) -> bool:
        return True

    async def body(self, app: str, settings: AppSettings, said: Said) -> dict[str, Any]:
        happens, self._happens = self._happens, None
        if happens is not None:
            await happens()
        return said.body


@pytest.mark.parametrize("which", ["first", "second"])
async def test_what_is_called_off_while_it_or_another_is_sent_is_not_sent(
    house: House, which: str
) -> None:
    name = await house.group("ann", "bob")
    kept = {
        one: await house.ask("ann", "message:send", **later(house, name, one, body={"text": one}))
        for one in ("first", "second")
    }

    async def called_off() -> None:
        await house.ask("ann", "scheduled:cancel", scheduled=kept[which]["scheduled"])

    house.messaging.messages._screen = Meanwhile(called_off)
    house.now += 1_000
    assert await due(house) == 2
    said = [one["body"]["text"] for one in await house.events("bob", name) if one.get("body")]
    assert said == [one for one in kept if one != which]
    assert await waiting(house, "ann") == []
    assert "scheduled:failed" not in [hint.event for _, hint in house.ear.heard]


async def test_it_is_tried_again_ever_more_seldom_and_in_the_end_not(house: House) -> None:
    name = await house.group("ann", "bob")
    await house.ask("bob", "message:send", **later(house, name))
    house.messaging.messages._screen = Away()
    house.now += 1_000
    waiting_, begun, tries = SqlWaiting(house.database), house.now, [house.now]
    await due(house)
    while found := await waiting_.of("acme", "bob"):
        house.now = found[0].not_before - 1
        assert await due(house) == 0
        house.now += 1
        assert await due(house) == 1
        tries.append(house.now)
    pauses = [then - before for before, then in pairwise(tries)]
    assert pauses[:3] == [AGAIN_MS, 2 * AGAIN_MS, 4 * AGAIN_MS]
    assert max(pauses) == pauses[-1] == AGAIN_MAX_MS
    assert GIVE_UP_MS <= tries[-1] - begun < GIVE_UP_MS + AGAIN_MAX_MS
    (failed,) = [hint for _, hint in house.ear.heard if hint.event == "scheduled:failed"]
    assert failed.data["error"]["code"] == "unavailable"
