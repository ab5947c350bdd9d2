"""Calls of more than two over real sockets, and what a call is refused for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from signaling.app import Process
from signaling.services.calls import RINGS_MAX
from tests.conftest import MakeProcess
from tests.wire_client import RequestRefused, WireClient

Come = Callable[[str], Awaitable[WireClient]]
INVITE = {"media": "audio", "client_id": "1"}


@pytest.fixture
async def process(make_process: MakeProcess) -> Process:
    """Its calls ring for longer than any test takes."""
    return await make_process(**{"media.ring_ms": 600_000})


@pytest.fixture
async def come(process: Process) -> AsyncIterator[Come]:
    """`await come("ann")`: a Device of a user, gone at the end."""
    async with AsyncExitStack() as stack:

        async def connect(user: str) -> WireClient:
            client = await WireClient(process.url, user).connect()
            stack.push_async_callback(client.close)
            return client

        yield connect


async def group(owner: WireClient, *members: str) -> str:
    made = await owner.request(
        "conversation:create", type="group", members=list(members), client_id="g"
    )
    return str(made["conversation"]["id"])


async def refused(client: WireClient, event: str, **payload: Any) -> str:
    with pytest.raises(RequestRefused) as caught:
        await client.request(event, **payload)
    return caught.value.code


def states(call: dict[str, Any]) -> dict[str, str]:
    return {one["user"]: one["state"] for one in call["participants"]}


async def test_three_meet_in_the_room_and_the_call_ends_with_the_last_two(come: Come) -> None:
    ann, bob, cy = await come("ann"), await come("bob"), await come("cy")
    where = await group(ann, "bob", "cy")
    call = (await ann.request("call:invite", conversation=where, **INVITE))["call"]
    for one in (bob, cy):
        await one.until("call:ringing")
        taken = (await one.request("call:accept", call=call["id"]))["call"]
        joined = await one.request("room:join", room=taken["room"])
    await ann.request("room:join", room=call["room"])
    assert {one["user"] for one in joined["participants"]} == {"bob", "cy"}
    going = (await ann.request("call:hangup", call=call["id"]))["call"]
    assert (going["state"], states(going)["ann"]) == ("active", "left")
    back = (await ann.request("call:accept", call=call["id"]))["call"]
    assert states(back) == dict.fromkeys(("ann", "bob", "cy"), "accepted")
    for one in (ann, bob):
        await one.request("call:hangup", call=call["id"])
    ended = await cy.until("call:ended", conversation=where)
    assert (ended["call"]["id"], ended["outcome"]) == (call["id"], "answered")


@pytest.mark.parametrize("way", ["call:accept", "call:invite"])
async def test_who_was_added_after_the_first_ring_joins(come: Come, way: str) -> None:
    ann, bob, dee = await come("ann"), await come("bob"), await come("dee")
    where = await group(ann, "bob")
    call = (await ann.request("call:invite", conversation=where, **INVITE))["call"]["id"]
    await bob.until("call:ringing")
    await bob.request("call:accept", call=call)
    assert await refused(dee, "call:accept", call=call) == "not_found"
    await ann.request("member:add", conversation=where, user="dee")
    asked = {"call": call} if way == "call:accept" else {"conversation": where, **INVITE}
    joined = (await dee.request(way, **asked))["call"]
    assert (joined["id"], states(joined)["dee"]) == (call, "accepted")
    told = await bob.until("call:changed", where=lambda data: "dee" in states(data["call"]))
    assert states(told["call"])["dee"] == "accepted"


async def test_a_group_too_large_to_ring_can_be_joined(come: Come) -> None:
    ann, bob = await come("ann"), await come("bob")
    where = await group(ann, "bob")
    call = (await ann.request("call:invite", conversation=where, **INVITE))["call"]["id"]
    for number in range(RINGS_MAX):
        await ann.request("member:add", conversation=where, user=f"user{number}")
    joined = (await bob.request("call:invite", conversation=where, **INVITE))["call"]
    assert (joined["id"], states(joined)["bob"]) == (call, "accepted")
    await bob.request("call:hangup", call=call)
    await bob.until("call:ended", conversation=where)
    assert await refused(bob, "call:invite", conversation=where, media="audio", client_id="2") == (
        "too_large"
    )


async def test_an_archived_conversation_does_not_ring(come: Come) -> None:
    ann, bob = await come("ann"), await come("bob")
    where = await group(ann, "bob")
    archive = {"conversation": where, "scope": "all"}
    await ann.request("conversation:archive", **archive)
    other = {**INVITE, "client_id": "refused"}
    assert await refused(ann, "call:invite", conversation=where, **other) == "forbidden"
    await ann.request("conversation:archive", archived=False, **archive)
    call = (await ann.request("call:invite", conversation=where, **INVITE))["call"]["id"]
    await bob.until("call:ringing")
    assert {one["call"]["id"] for one in bob.all("call:ringing")} == {call}


async def test_silence_keeps_pushes_away_and_not_the_ringing_of_live_devices(come: Come) -> None:
    ann, bob = await come("ann"), await come("bob")
    where = await group(ann, "bob")
    await bob.until("member:joined", conversation=where, user="bob")
    await bob.request("conversation:prefer", conversation=where, notify="none")
    assert await bob.until("conversation:preferred") == {"conversation": where, "notify": "none"}
    await ann.request("call:invite", conversation=where, **INVITE)
    await bob.until("call:ringing")


async def test_two_who_ring_at_once_are_in_one_call(come: Come) -> None:
    ann, bob = await come("ann"), await come("bob")
    where = await group(ann, "bob")
    await bob.until("member:joined", conversation=where, user="bob")
    made = await asyncio.gather(
        *(one.request("call:invite", conversation=where, **INVITE) for one in (ann, bob))
    )
    assert made[0]["call"]["id"] == made[1]["call"]["id"]
    assert "active" in {one["call"]["state"] for one in made}


async def test_no_answer_is_missed_and_remembered_page_by_page(make_process: MakeProcess) -> None:
    process = await make_process(**{"media.ring_ms": 200})
    ann = await WireClient(process.url, "ann").connect()
    bob = await WireClient(process.url, "bob").connect()
    where = await group(ann, "bob")
    calls = []
    for number in ("1", "2", "3"):
        asked = {"conversation": where, "media": "audio", "client_id": number}
        calls.append((await ann.request("call:invite", **asked))["call"]["id"])
        ended = await bob.until("call:ended", count=len(calls), conversation=where)
        assert (ended["call"]["id"], ended["outcome"]) == (calls[-1], "missed")
    first = await bob.request("call:list", limit=2)
    assert [one["id"] for one in first["calls"]] == calls[:0:-1]
    assert [states(one)["bob"] for one in first["calls"]] == ["missed", "missed"]
    rest = await bob.request("call:list", limit=2, before=first["next"])
    assert ([one["id"] for one in rest["calls"]], rest["next"]) == (calls[:1], None)
    await ann.close()
    await bob.close()
