"""A node that dies takes its sockets with it, not the rooms."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from signaling.node import ANNOUNCE_S
from signaling.services.rooms import MISSES_MAX, WATCH_S
from tests.nodes import two_nodes
from tests.wire_client import RequestRefused, WireClient

NOTICED_S = 90.0


def test_what_a_node_held_runs_out_before_it_is_taken_for_dead() -> None:
    """Both are kept for a period from when it said so last."""
    assert ANNOUNCE_S < WATCH_S * (MISSES_MAX - 1)


async def joins(who: WireClient, room: str) -> dict[str, Any]:
    """A node that was slow before it died may seem to hold its rooms a moment longer."""
    async with asyncio.timeout(NOTICED_S):
        while True:
            try:
                return await who.request("room:join", room=room)
            except RequestRefused as refused:
                if refused.code != "unavailable":
                    raise
                await asyncio.sleep(0.2)


@pytest.mark.redis
@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_rooms_of_a_dead_node_are_joined_anew_and_its_participants_leave(
    tmp_path: Path,
) -> None:
    with two_nodes(tmp_path) as nodes:
        ann = await WireClient(nodes.one.url, "ann").connect()
        bob = await WireClient(nodes.two.url, "bob").connect()
        rooms = []
        for alias, first, then in (("held-by-one", ann, bob), ("held-by-two", bob, ann)):
            ack = await ann.request("conversation:join", alias=alias, create=True)
            rooms.append(ack["conversation"]["id"])
            await bob.request("conversation:join", conversation=rooms[-1])
            await first.request("room:join", room=rooms[-1])
            await then.request("room:join", room=rooms[-1])
        by_one, by_two = rooms
        nodes.one.kill()

        told = await bob.until(
            "participant:left", room=by_one, reason="node_lost", timeout_s=NOTICED_S
        )
        again = await joins(bob, by_one)
        assert again["participant"] == told["participant"]
        assert not again["resumed"]
        assert [one["user"] for one in again["participants"]] == ["bob"]
        await bob.until("participant:left", room=by_two, reason="lost", timeout_s=NOTICED_S)

        body = {"type": "text", "body": {"text": "still here"}, "client_id": "1"}
        sent = await bob.request("message:send", conversation=by_one, **body)
        await bob.until("message:created", seq=sent["seq"])
        nodes.one.start()
        carl = await WireClient(nodes.one.url, "carl").connect()
        await carl.request("conversation:join", conversation=by_one)
        joined = await carl.request("room:join", room=by_one)
        assert {one["user"] for one in joined["participants"]} == {"bob", "carl"}
        await carl.close()
        await bob.close()
