"""Calls across nodes: who is busy, whose Device is gone, and what a dead node held."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from signaling.adapters.redis_client import connect
from tests.nodes import TwoNodes, two_nodes
from tests.wire_client import RequestRefused, WireClient

pytestmark = [pytest.mark.redis, pytest.mark.timeout(300)]
NOTICED_S = 90.0


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoNodes]:
    with two_nodes(tmp_path_factory.mktemp("nodes")) as both:
        yield both


async def talk(one: WireClient, other: WireClient) -> tuple[str, str]:
    """A direct call that is answered: (its conversation, its id)."""
    asked = {"type": "direct", "members": [other.user], "client_id": other.user}
    conversation = (await one.request("conversation:create", **asked))["conversation"]["id"]
    invite = {"conversation": conversation, "media": "audio", "client_id": uuid.uuid4().hex}
    call = (await one.request("call:invite", **invite))["call"]["id"]
    await other.until("call:ringing", where=lambda data: data["call"]["id"] == call)
    await other.request("call:accept", call=call)
    return conversation, call


async def test_who_talks_by_one_node_is_busy_for_the_other(nodes: TwoNodes) -> None:
    ann = await WireClient(nodes.one.url, "ann1").connect()
    bob = await WireClient(nodes.one.url, "bob1").connect()
    eve = await WireClient(nodes.two.url, "eve1").connect()
    _, call = await talk(ann, bob)
    asked = {"type": "direct", "members": ["bob1"], "client_id": "d"}
    conversation = (await eve.request("conversation:create", **asked))["conversation"]["id"]
    invite = {"conversation": conversation, "media": "audio"}
    refused = (await eve.request("call:invite", **invite, client_id="1"))["call"]
    assert (refused["state"], refused["outcome"]) == ("ended", "busy")
    await bob.request("call:hangup", call=call)
    taken = (await eve.request("call:invite", **invite, client_id="2"))["call"]
    assert taken["state"] == "ringing"
    await bob.until("call:ringing", where=lambda data: data["call"]["id"] == taken["id"])
    for one in (ann, bob, eve):
        await one.close()


async def test_a_device_that_vanishes_hangs_up_though_another_stays(nodes: TwoNodes) -> None:
    ann = await WireClient(nodes.one.url, "ann2").connect()
    phone = await WireClient(nodes.two.url, "bob2", "phone").connect()
    laptop = await WireClient(nodes.one.url, "bob2", "laptop").connect()
    conversation, _ = await talk(ann, phone)
    await phone.close()
    ended = await laptop.until("call:ended", conversation=conversation, timeout_s=NOTICED_S)
    assert ended["outcome"] == "answered"
    left = {one["user"]: one["state"] for one in ended["call"]["participants"]}
    assert left["bob2"] == "left"
    await ann.close()
    await laptop.close()


async def test_nothing_is_kept_of_calls_that_never_were(nodes: TwoNodes) -> None:
    ann = await WireClient(nodes.one.url, "ann3").connect()
    bob = await WireClient(nodes.two.url, "bob3").connect()
    for verb in ("call:hangup", "call:decline", "call:cancel", "call:accept"):
        with pytest.raises(RequestRefused) as refused:
            await ann.request(verb, call="call_x.anything")
        assert refused.value.code == "not_found"
    _, call = await talk(ann, bob)
    await ann.request("call:hangup", call=call)
    await bob.until("call:ended")
    redis = connect(nodes.redis.url)
    async with asyncio.timeout(NOTICED_S):
        while await redis.keys("*call*"):
            await asyncio.sleep(0.05)
    await redis.aclose()
    await ann.close()
    await bob.close()


async def test_two_who_ring_at_once_by_two_nodes_are_in_one_call(nodes: TwoNodes) -> None:
    ann = await WireClient(nodes.one.url, "ann4").connect()
    bob = await WireClient(nodes.two.url, "bob4").connect()
    asked = {"type": "direct", "members": ["bob4"], "client_id": "d"}
    conversation = (await ann.request("conversation:create", **asked))["conversation"]["id"]
    for number in range(5):
        invite = {"conversation": conversation, "media": "audio", "client_id": f"{number}"}
        made = await asyncio.gather(*(one.request("call:invite", **invite) for one in (ann, bob)))
        calls = [one["call"] for one in made]
        assert calls[0]["id"] == calls[1]["id"]
        assert "active" in {one["state"] for one in calls}
        await bob.request("call:hangup", call=calls[0]["id"])
        await ann.until("call:ended", count=number + 1, conversation=conversation)
    await ann.close()
    await bob.close()


@pytest.mark.slow
async def test_calls_of_a_dead_node_are_ended_once_by_the_living(tmp_path: Path) -> None:
    with two_nodes(tmp_path) as own:
        ann = await WireClient(own.one.url, "ann").connect()
        bob = await WireClient(own.two.url, "bob").connect()
        conversation, call = await talk(ann, bob)
        own.one.kill()
        ended = await bob.until("call:ended", conversation=conversation, timeout_s=NOTICED_S)
        assert (ended["call"]["id"], ended["outcome"]) == (call, "answered")
        told = await bob.until("call:changed", where=lambda data: data["call"]["state"] == "ended")
        assert told["call"]["id"] == call
        own.one.start()
        ann = await WireClient(own.one.url, "ann", token=ann.token).connect()
        page = await ann.request("history:get", conversation=conversation, limit=50)
        assert [one["type"] for one in page["events"]].count("call:ended") == 1
        await ann.close()
        await bob.close()


@pytest.mark.slow
async def test_a_device_that_vanishes_while_redis_is_away_hangs_up(tmp_path: Path) -> None:
    with two_nodes(tmp_path) as own:
        ann = await WireClient(own.one.url, "ann").connect()
        bob = await WireClient(own.two.url, "bob").connect()
        conversation, call = await talk(ann, bob)
        own.redis.kill()
        await bob.close()
        own.redis.start()
        ended = await ann.until("call:ended", conversation=conversation, timeout_s=NOTICED_S)
        assert (ended["call"]["id"], ended["outcome"]) == (call, "answered")
        await ann.close()
