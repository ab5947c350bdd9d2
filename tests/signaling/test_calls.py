"""Calls over real sockets: who rings, who stops, what the log remembers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from signaling.app import Process
from signaling.protocol.entries import CallEnded
from tests.conftest import MakeProcess
from tests.wire_client import RequestRefused, WireClient


@dataclass
class Line:
    """Ann with a phone, Bob with a phone and a laptop, and their direct Conversation."""

    ann: WireClient
    phone: WireClient
    laptop: WireClient
    direct: str

    async def rings(self) -> str:
        """Ann calls, both of Bob's devices ring."""
        asked = {"conversation": self.direct, "media": "video", "client_id": "1"}
        call: str = (await self.ann.request("call:invite", **asked))["call"]["id"]
        await self.phone.until("call:ringing")
        await self.laptop.until("call:ringing")
        return call

    async def ended(self) -> dict[str, Any]:
        """What the log says of it, the same for everyone."""
        told: list[dict[str, Any]] = [
            (await one.until("call:ended", conversation=self.direct))["call"]
            for one in (self.ann, self.phone, self.laptop)
        ]
        assert told[0] == told[1] == told[2]
        history = await self.ann.request("history:get", conversation=self.direct, limit=1)
        (event,) = history["events"]
        assert event["call"] == told[0]
        assert set(event) == {"type", *CallEnded.__struct_fields__}
        assert all(event[name] == told[0][name] for name in ("media", "outcome", "duration_ms"))
        return told[0]


@pytest.fixture
async def process(make_process: MakeProcess) -> Process:
    """Its calls ring for longer than any test takes."""
    return await make_process(**{"media.ring_ms": 600_000})


@pytest.fixture
async def line(process: Process) -> AsyncIterator[Line]:
    ann = await WireClient(process.url, "ann").connect()
    phone = await WireClient(process.url, "bob", "phone").connect()
    laptop = await WireClient(process.url, "bob", "laptop").connect()
    made = await ann.request("conversation:create", type="direct", members=["bob"], client_id="d")
    await phone.until("member:joined", user="bob")
    await laptop.until("member:joined", user="bob")
    yield Line(ann, phone, laptop, made["conversation"]["id"])
    await asyncio.gather(ann.close(), phone.close(), laptop.close())


def party(call: dict[str, Any], user: str) -> dict[str, Any]:
    """One User in a call."""
    found: dict[str, Any] = next(one for one in call["participants"] if one["user"] == user)
    return found


async def test_every_device_rings_and_one_takes_it(line: Line) -> None:
    call = await line.rings()
    taken = (await line.laptop.request("call:accept", call=call))["call"]
    assert (taken["state"], party(taken, "bob")["device"]) == ("active", "laptop")
    for one in (line.ann, line.phone):
        told = (await one.until("call:changed"))["call"]
        assert party(told, "bob") == {"user": "bob", "state": "accepted", "device": "laptop"}
    with pytest.raises(RequestRefused) as refused:
        await line.phone.request("call:accept", call=call)
    assert refused.value.code == "conflict"
    with pytest.raises(RequestRefused) as refused:
        await line.phone.request("call:hangup", call=call)
    assert refused.value.code == "conflict"


async def test_hanging_up_leaves_how_long_it_was(line: Line) -> None:
    call = await line.rings()
    await line.phone.request("call:accept", call=call)
    await line.ann.request("call:hangup", call=call)
    ended = await line.ended()
    assert (ended["id"], ended["outcome"]) == (call, "answered")
    assert ended["duration_ms"] == ended["ended_at"] - ended["answered_at"]


@pytest.mark.parametrize(
    ("request_", "more", "outcome"),
    [
        ("call:decline", {}, "declined"),
        ("call:decline", {"reason": "busy"}, "busy"),
        ("call:hangup", {}, "declined"),
    ],
)
async def test_one_device_declines_for_all(
    line: Line, request_: str, more: dict[str, str], outcome: str
) -> None:
    call = await line.rings()
    await line.phone.request(request_, call=call, **more)
    ended = await line.ended()
    assert (ended["outcome"], ended["duration_ms"]) == (outcome, 0)


@pytest.mark.parametrize("request_", ["call:cancel", "call:hangup"])
async def test_the_caller_gives_up(line: Line, request_: str) -> None:
    call = await line.rings()
    await line.ann.request(request_, call=call)
    ended = await line.ended()
    assert (ended["outcome"], party(ended, "bob")["state"]) == ("cancelled", "missed")


async def test_a_caller_whose_device_vanishes_rings_nobody_any_more(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the next look already: the clients here do not outlast a slow machine's many."""
    monkeypatch.setattr("signaling.services.call_keeper.ABSENT_ROUNDS", 1)
    await line.rings()
    await line.ann.close()
    for one in (line.phone, line.laptop):
        ended = await one.until("call:ended", conversation=line.direct, timeout_s=60)
        assert ended["outcome"] == "cancelled"
        assert party(ended["call"], "bob")["state"] == "missed"


async def test_who_talks_is_busy_for_others(line: Line, process: Process) -> None:
    call = await line.rings()
    await line.phone.request("call:accept", call=call)
    eve = await WireClient(process.url, "eve").connect()
    made = await eve.request("conversation:create", type="direct", members=["bob"], client_id="d")
    asked = {"conversation": made["conversation"]["id"], "media": "audio", "client_id": "1"}
    turned_away = (await eve.request("call:invite", **asked))["call"]
    assert (turned_away["state"], turned_away["outcome"]) == ("ended", "busy")
    assert not [one for one in line.laptop.all("call:ringing") if one["call"]["caller"] == "eve"]
    await eve.close()


async def test_a_signal_reaches_one_device_of_somebody_one_knows(
    line: Line, process: Process
) -> None:
    call = await line.rings()
    to = {"user": "bob", "device": "laptop"}
    offer = {"type": "offer", "sdp": "v=0"}
    await line.ann.request("signal:send", to=to, call=call, description=offer)
    heard = await line.laptop.until("signal:received")
    assert heard["from"] == {"user": "ann", "device": "phone"}
    assert (heard["call"], heard["description"]) == (call, offer)
    await line.ann.request("signal:send", to={"user": "bob"}, call=call, candidate={"a": 1})
    await line.phone.until("signal:received", candidate={"a": 1})
    assert len(line.phone.all("signal:received")) == 1
    eve = await WireClient(process.url, "eve").connect()
    with pytest.raises(RequestRefused) as refused:
        await eve.request("signal:send", to={"user": "bob"}, description=offer)
    assert refused.value.code == "forbidden"
    await eve.close()
