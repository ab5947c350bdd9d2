"""Two processes are one service: users on different nodes see, hear, ring and read each other."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.rtcconfiguration import RTCBundlePolicy, RTCConfiguration

from tests.media.peers import Tone
from tests.nodes import TwoNodes, two_nodes
from tests.wire_client import RequestRefused, WireClient

pytestmark = [pytest.mark.redis, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoNodes]:
    with two_nodes(tmp_path_factory.mktemp("nodes")) as both:
        yield both


@pytest.fixture
async def pair(nodes: TwoNodes) -> AsyncIterator[tuple[WireClient, WireClient, str]]:
    """Ann on one node and Bob on the other, in a Conversation of their own."""
    name = uuid.uuid4().hex[:8]
    ann = await WireClient(nodes.one.url, f"ann{name}").connect()
    bob = await WireClient(nodes.two.url, f"bob{name}").connect()
    ack = await ann.request("conversation:join", alias=name, create=True)
    conversation = ack["conversation"]["id"]
    await bob.request("conversation:join", conversation=conversation)
    await ann.until("member:joined", user=bob.user)
    yield ann, bob, conversation
    await ann.close()
    await bob.close()


Pair = tuple[WireClient, WireClient, str]


async def test_messages_receipts_and_typing_cross_nodes(pair: Pair) -> None:
    ann, bob, conversation = pair
    body = {"type": "text", "body": {"text": "hello"}, "client_id": "1"}
    sent = await ann.request("message:send", conversation=conversation, **body)
    await bob.until("message:created", seq=sent["seq"])
    await bob.request("receipt:read", conversation=conversation, seq=sent["seq"])
    await ann.until("receipt:updated", user=bob.user, read=sent["seq"])
    await bob.request("typing:set", conversation=conversation, on=True)
    await ann.until("typing:changed", user=bob.user, on=True)
    await bob.request("typing:set", conversation=conversation, on=False)
    await ann.until("typing:changed", user=bob.user, on=False)
    assert not bob.all("typing:changed")


@pytest.mark.parametrize("number", [2**63, 2**64, -(2**63) - 1])
async def test_a_number_beyond_64_bits_is_refused_and_silences_no_node(
    pair: Pair, number: int
) -> None:
    ann, bob, conversation = pair
    sent = {"type": "custom", "conversation": conversation}
    with pytest.raises(RequestRefused) as refused:
        await ann.request("message:send", **sent, body={"at": [{"n": number}]}, client_id="1")
    assert refused.value.code == "bad_request"
    body = {"most": 2**63 - 1, "least": -(2**63)}
    answer = await ann.request("message:send", **sent, body=body, client_id="2")
    told = await bob.until("message:created", seq=answer["seq"])
    assert told["body"] == body


async def test_a_conversation_made_here_reaches_its_members_there(
    pair: Pair, nodes: TwoNodes
) -> None:
    ann, bob, _ = pair
    made = await ann.request(
        "conversation:create", type="group", members=[bob.user], title="t", client_id="g"
    )
    group = made["conversation"]["id"]
    await bob.until("member:joined", conversation=group, user=bob.user)
    body = {"type": "text", "body": {"text": "to the group"}, "client_id": "2"}
    sent = await ann.request("message:send", conversation=group, **body)
    await bob.until("message:created", conversation=group, seq=sent["seq"])
    await ann.request("member:remove", conversation=group, user=bob.user)
    await bob.until("member:left", conversation=group, user=bob.user)
    body["client_id"] = "3"
    await ann.request("message:send", conversation=group, **body)
    told = len(bob.all("message:created", conversation=group))
    await bob.request("presence:watch", users=[])  # a round trip later nothing more has come
    assert told == len(bob.all("message:created", conversation=group)) == 1


async def test_presence_crosses_nodes(pair: Pair, nodes: TwoNodes) -> None:
    ann, bob, _ = pair
    ack = await ann.request("presence:watch", users=[bob.user])
    assert [(one["user"], one["status"]) for one in ack["users"]] == [(bob.user, "online")]
    await bob.request("presence:set", status="busy", text="cooking")
    await ann.until("presence:changed", user=bob.user, status="busy", text="cooking")
    other = await WireClient(nodes.one.url, bob.user, "laptop").connect()
    await ann.until("presence:changed", user=bob.user, devices=2)
    await other.close()
    await ann.until("presence:changed", user=bob.user, devices=1, status="busy", count=2)


async def test_a_room_is_held_by_one_node_and_joined_from_the_other(pair: Pair) -> None:
    ann, bob, conversation = pair
    mine = await ann.request("room:join", room=conversation)
    theirs = await bob.request("room:join", room=conversation, attributes={"hand": True})
    assert not theirs["resumed"]
    assert {one["user"] for one in theirs["participants"]} == {ann.user, bob.user}
    joined = await ann.until("participant:joined", room=conversation, user=bob.user)
    assert joined["attributes"] == {"hand": True}

    async with connection() as sending, connection() as receiving:
        sending.addTransceiver(Tone(), "sendonly")
        await sending.setLocalDescription(await sending.createOffer())
        published = await bob.request(
            "media:publish",
            room=conversation,
            sdp=sending.localDescription.sdp,
            tracks=[{"mid": "0", "source": "microphone"}],
        )
        answer = RTCSessionDescription(published["sdp"], "answer")
        await sending.setRemoteDescription(answer)
        track = published["tracks"][0]["track"]
        told = await ann.until("track:published", room=conversation, track=track)
        assert (told["participant"], told["source"]) == (theirs["participant"], "microphone")
        # A fresh page of the same device: the same participant, all media in its first offer.
        ann.told.clear()
        again = await ann.request("room:join", room=conversation)
        assert (again["participant"], again["resumed"]) == (mine["participant"], False)
        await take_offers(ann, conversation, receiving, until=track)
        heard = receiving.getTransceivers()[-1].receiver.track
        await asyncio.wait_for(heard.recv(), 60)  # type: ignore[attr-defined] # bob's voice
        muting = {"room": conversation, "track": track, "muted": True}
        await bob.request("track:update", **muting)
        await ann.until("track:updated", **muting)
    with pytest.raises(RequestRefused) as refused:
        await bob.request("participant:remove", room=conversation, participant=mine["participant"])
    assert refused.value.code == "forbidden"
    await ann.request("participant:remove", room=conversation, participant=theirs["participant"])
    left = await bob.until("participant:left", room=conversation)
    assert (left["participant"], left["reason"]) == (theirs["participant"], "removed")
    with pytest.raises(RequestRefused):
        await bob.request("participant:update", room=conversation, attributes={"a": 1})


@asynccontextmanager
async def connection() -> AsyncIterator[RTCPeerConnection]:
    made = RTCPeerConnection(RTCConfiguration(bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
    try:
        yield made
    finally:
        await made.close()


async def take_offers(who: WireClient, room: str, receiving: RTCPeerConnection, until: str) -> None:
    """Answer offer after offer, until one carries the track."""
    for count in range(1, 10):
        offer = await who.until("media:offer", count=count, room=room)
        await receiving.setRemoteDescription(RTCSessionDescription(offer["sdp"], "offer"))
        await receiving.setLocalDescription(await receiving.createAnswer())
        answer = {"offer_id": offer["offer_id"], "sdp": receiving.localDescription.sdp}
        await who.request("media:answer", room=room, **answer)
        if until in [one["track"] for one in offer["tracks"]]:
            return


async def test_a_call_rings_on_the_other_node_and_ends_in_the_log(pair: Pair) -> None:
    ann, bob, conversation = pair
    invite = {"conversation": conversation, "media": "video", "client_id": "c1"}
    call = (await ann.request("call:invite", **invite))["call"]
    ring = await bob.until("call:ringing")
    assert ring["call"]["id"] == call["id"]
    await bob.request("call:accept", call=call["id"])
    await ann.until("call:changed", where=lambda data: data["call"]["state"] == "active")
    await bob.request("call:hangup", call=call["id"])
    for who in (ann, bob):
        ended = await who.until("call:ended", conversation=conversation)
        assert ended["call"]["outcome"] == "answered"


async def test_signals_reach_the_device_named(pair: Pair, nodes: TwoNodes) -> None:
    ann, bob, _ = pair
    laptop = await WireClient(nodes.one.url, bob.user, "laptop").connect()
    candidate = {"candidate": "candidate:1", "sdpMid": "0"}
    to = {"user": bob.user, "device": "laptop"}
    await ann.request("signal:send", to=to, candidate=candidate)
    told = await laptop.until("signal:received")
    assert told == {"from": {"user": ann.user, "device": "phone"}, "candidate": candidate}
    await ann.request("signal:send", to={"user": bob.user}, candidate=candidate)
    await bob.until("signal:received")
    await laptop.until("signal:received", count=2)
    assert len(bob.all("signal:received")) == 1
    stranger = await WireClient(nodes.one.url, f"{bob.user}-stranger").connect()
    with pytest.raises(RequestRefused) as refused:
        await stranger.request("signal:send", to=to, candidate=candidate)
    assert refused.value.code == "forbidden"
    await laptop.close()
    await stranger.close()
