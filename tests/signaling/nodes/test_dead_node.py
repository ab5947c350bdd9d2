"""A node that dies takes its sockets with it, not the rooms."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.nodes import two_nodes
from tests.wire_client import WireClient

NOTICED_S = 90.0


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
        again = await bob.request("room:join", room=by_one)
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
