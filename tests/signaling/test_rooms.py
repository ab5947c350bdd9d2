"""Rooms over real sockets: who may enter, who comes back, who is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from media import TransportLost
from signaling import dev
from signaling.app import Process
from signaling.auth.tokens import Tokens
from signaling.model import Grants
from tests.conftest import MakeProcess
from tests.wire_client import RequestRefused, WireClient


async def arrive(
    process: Process, user: str, device: str = "phone", grants: Grants | None = None
) -> WireClient:
    token = ""
    if grants is not None:
        settings = process._settings
        key = await dev.guest_key(process.registry, settings.storage.data_dir, settings.master_key)
        token = await Tokens(process.registry).mint(key, user, grants=grants)
    return await WireClient(process.url, user, device, token).connect()


@pytest.fixture
async def process(make_process: MakeProcess) -> Process:
    """Whoever comes back does so within the grace, however slow the machine is."""
    return await make_process(**{"media.grace_ms": 600_000})


@pytest.fixture
async def pair(process: Process) -> AsyncIterator[tuple[WireClient, WireClient, str]]:
    """Ann, who owns a Conversation, and Bob, both in its Room."""
    ann, bob = await arrive(process, "ann"), await arrive(process, "bob")
    ack = await ann.request("conversation:join", alias="hall", create=True)
    room = ack["conversation"]["id"]
    await bob.request("conversation:join", conversation=room)
    await ann.request("room:join", room=room)
    await bob.request("room:join", room=room, name="Bobby")
    await ann.until("participant:joined", room=room, user="bob", name="Bobby")
    yield ann, bob, room
    await ann.close()
    await bob.close()


Pair = tuple[WireClient, WireClient, str]


async def refusal(who: WireClient, event: str, **payload: object) -> str:
    with pytest.raises(RequestRefused) as refused:
        await who.request(event, **payload)
    return refused.value.code


async def test_only_members_enter_a_conversations_room(pair: Pair, process: Process) -> None:
    _, _, room = pair
    eve = await arrive(process, "eve")
    assert await refusal(eve, "room:join", room=room) == "not_found"
    assert await refusal(eve, "room:join", room="lobby") == "not_found"
    assert await refusal(eve, "media:publish", room=room, sdp="") == "not_found"
    await eve.close()


async def test_a_grant_does_not_let_the_banned_in_and_a_ban_puts_them_out(
    pair: Pair, process: Process
) -> None:
    ann, _, room = pair
    fay = await arrive(process, "fay", grants=Grants(rooms=("*",)))
    await fay.request("room:join", room=room)
    await ann.until("participant:joined", room=room, user="fay")
    await ann.request("member:ban", conversation=room, user="fay")
    await ann.until("participant:left", room=room)
    assert await refusal(fay, "room:join", room=room) == "forbidden"
    assert await refusal(fay, "media:publish", room=room, sdp="") == "not_found"
    await ann.request("member:unban", conversation=room, user="fay")
    await fay.request("room:join", room=room)
    await fay.close()


async def test_grants_open_standalone_rooms_and_limit_what_is_published(process: Process) -> None:
    grants = Grants(rooms=("lobby-*",), publish=False)
    fay = await arrive(process, "fay", grants=grants)
    ack = await fay.request("room:join", room="lobby-1")
    assert [one["user"] for one in ack["participants"]] == ["fay"]
    assert await refusal(fay, "room:join", room="attic") == "not_found"
    assert await refusal(fay, "media:publish", room="lobby-1", sdp=OFFER) == "forbidden"
    assert await refusal(fay, "media:publish", room="lobby-1", sdp="v=0") == "bad_request"
    await fay.close()


OFFER = "\r\n".join(  # a browser's data channel
    [
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        "c=IN IP4 0.0.0.0",
        "a=ice-ufrag:abcd",
        "a=ice-pwd:abcdabcdabcdabcdabcdabcd",
        "a=fingerprint:sha-256 " + ":".join(["AB"] * 32),
        "a=setup:actpass",
        "a=mid:0",
        "a=sctp-port:5000",
        "",
    ]
)


async def test_a_hand_is_seen_and_another_device_is_another_participant(
    pair: Pair, process: Process
) -> None:
    ann, bob, room = pair
    await bob.request("participant:update", room=room, attributes={"hand": True})
    await ann.until("participant:updated", user="bob", where=lambda d: d["attributes"]["hand"])
    laptop = await arrive(process, "bob", "laptop")
    ack = await laptop.request("room:join", room=room)
    assert sorted(one["device"] for one in ack["participants"]) == ["laptop", "phone", "phone"]
    big = {"x": "y" * 5000}
    assert await refusal(bob, "participant:update", room=room, attributes=big) == "too_large"
    await laptop.close()


async def test_a_socket_that_returns_within_the_grace_resumes(pair: Pair, process: Process) -> None:
    ann, bob, room = pair
    mine = (await bob.request("room:join", room=room))["participant"]
    await bob.close()
    back = await arrive(process, "bob")
    ack = await back.request("room:join", room=room, participant=mine)
    assert (ack["participant"], ack["resumed"]) == (mine, True)
    assert not ann.all("participant:left")
    await back.close()


async def test_who_does_not_return_is_gone_for_the_others(make_process: MakeProcess) -> None:
    process = await make_process(**{"media.grace_ms": 100})
    ann, bob = await arrive(process, "ann"), await arrive(process, "bob")
    ack = await ann.request("conversation:join", alias="hall", create=True)
    room = ack["conversation"]["id"]
    await bob.request("conversation:join", conversation=room)
    await ann.request("room:join", room=room)
    mine = (await bob.request("room:join", room=room))["participant"]
    await bob.close()
    await ann.until("participant:left", participant=mine, reason="lost")
    again = await ann.request("room:join", room=room)
    assert [one["user"] for one in again["participants"]] == ["ann"]
    await ann.close()


async def test_the_same_device_on_a_second_socket_takes_the_seat(
    pair: Pair, process: Process
) -> None:
    ann, bob, room = pair
    twin = await arrive(process, "bob")
    ack = await twin.request("room:join", room=room)
    left = await bob.until("participant:left", room=room, reason="replaced")
    assert left["participant"] == ack["participant"]
    assert await refusal(bob, "participant:update", room=room, attributes={}) == "not_found"
    await twin.request("participant:update", room=room, attributes={"here": 1})
    await bob.close()
    await twin.request("participant:update", room=room, attributes={"here": 2})
    assert not ann.all("participant:left")
    await twin.close()


async def test_leaving_the_conversation_is_leaving_its_room(pair: Pair) -> None:
    ann, bob, room = pair
    await ann.request("member:remove", conversation=room, user="bob")
    left = await ann.until("participant:left", room=room)
    assert left["reason"] == "left"
    assert await refusal(bob, "room:join", room=room) == "not_found"


async def test_who_is_put_out_while_they_come_again_is_not_left_behind_in_the_sfu(
    pair: Pair, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, bob, room = pair
    assert process.sfu is not None
    go_on, leave = asyncio.Event(), process.sfu.leave

    async def slowly(*seat: str) -> None:
        await go_on.wait()
        await leave(*seat)

    monkeypatch.setattr(process.sfu, "leave", slowly)
    await bob.request("room:leave", room=room)
    await ann.until("participant:left", room=room)
    again = asyncio.create_task(refusal(bob, "room:join", room=room))
    async with asyncio.timeout(60):
        while "tokenim_rooms_participants 2" not in process.metrics.render():
            await asyncio.sleep(0.01)  # until they wait for their own going
    await ann.request("member:remove", conversation=room, user="bob")
    await ann.until("participant:left", room=room, count=2)
    go_on.set()
    assert await again == "unavailable"
    assert process.sfu.stats()["participants"] == 1


async def test_whose_media_fell_silent_is_told_in_which_room(process: Process) -> None:
    ann = await arrive(process, "ann")
    room = (await ann.request("conversation:join", alias="x", create=True))["conversation"]["id"]
    mine = (await ann.request("room:join", room=room))["participant"]
    assert process.sfu is not None
    process.sfu._emit(TransportLost(f"demo/{room}", mine, "publish", "silent"))
    await ann.until("participant:left", room=room, participant=mine, reason="lost")
    await ann.close()


async def test_a_full_room_refuses(make_process: MakeProcess) -> None:
    process = await make_process(**{"limits.room_participants": 1})
    ann, bob = await arrive(process, "ann"), await arrive(process, "bob")
    room = (await ann.request("conversation:join", alias="x", create=True))["conversation"]["id"]
    await bob.request("conversation:join", conversation=room)
    await ann.request("room:join", room=room)
    assert await refusal(bob, "room:join", room=room) == "quota_exceeded"
    await ann.request("room:leave", room=room)
    await bob.request("room:join", room=room)
    await asyncio.gather(ann.close(), bob.close())


async def test_a_call_that_nobody_answers_is_missed(make_process: MakeProcess) -> None:
    process = await make_process(**{"media.ring_ms": 200})
    ann, bob = await arrive(process, "ann"), await arrive(process, "bob")
    made = await ann.request("conversation:create", type="direct", members=["bob"], client_id="d")
    direct = made["conversation"]["id"]
    await bob.until("member:joined", user="bob")
    invite = {"conversation": direct, "media": "audio", "client_id": "1"}
    call = (await ann.request("call:invite", **invite))["call"]
    await bob.until("call:ringing")
    ended = await bob.until("call:ended", conversation=direct)
    assert (ended["call"]["id"], ended["call"]["outcome"]) == (call["id"], "missed")
    assert (await ann.request("call:invite", **invite))["call"]["state"] == "ended"
    assert await refusal(bob, "call:accept", call=call["id"]) == "not_found"
    await bob.request("user:block", user="ann")
    invite["client_id"] = "2"
    assert await refusal(ann, "call:invite", **invite) == "forbidden"
    await asyncio.gather(ann.close(), bob.close())
