"""Calls outlive their process in the log: it is killed or told to go, and they are ended once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from signaling.adapters.sql import SqlCalls, open_database
from tests.e2e.server import Server
from tests.nodes import UNHURRIED
from tests.wire_client import RequestRefused, WireClient

pytestmark = pytest.mark.timeout(400)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    one = Server(tmp_path, module="tests.e2e.unhurried", **UNHURRIED)
    one.start()
    yield one
    one.stop()


async def again(server: Server, client: WireClient) -> WireClient:
    """The same Device, on the next life of the server."""
    await client.disconnected.wait()
    return await WireClient(server.url, client.user, client.device, client.token).connect()


async def direct(ann: WireClient, other: str) -> str:
    asked = {"type": "direct", "members": [other], "client_id": other}
    made = await ann.request("conversation:create", **asked)
    return str(made["conversation"]["id"])


async def rings(ann: WireClient, conversation: str, client_id: str = "1") -> str:
    asked = {"conversation": conversation, "media": "audio", "client_id": client_id}
    return str((await ann.request("call:invite", **asked))["call"]["id"])


async def live(folder: Path) -> int:
    """Calls that are not in the log yet, as the files have them."""
    database = await open_database(f"sqlite:///{folder / 'tokenim.db'}")
    found = await SqlCalls(database).unattended("", 2**62)
    await database.close()
    return len(found)


async def ended(client: WireClient, conversation: str) -> list[dict[str, Any]]:
    """Every `call:ended` of a conversation."""
    page = await client.request("history:get", conversation=conversation, limit=50)
    return [event for event in page["events"] if event["type"] == "call:ended"]


@pytest.mark.parametrize("way", ["kill", "stop"])
async def test_a_process_that_goes_leaves_how_its_calls_were(
    server: Server, tmp_path: Path, way: str
) -> None:
    ann = await WireClient(server.url, "ann").connect()
    bob = await WireClient(server.url, "bob").connect()
    answered, unanswered = await direct(ann, "bob"), await direct(ann, "cy")
    call, missed = await rings(ann, answered), await rings(ann, unanswered)
    await bob.until("call:ringing")
    await bob.request("call:accept", call=call)
    getattr(server, way)()
    if way == "stop":
        assert await live(tmp_path) == 0  # no start was needed
    for _ in range(2):  # the second start finds nothing to do
        server.start()
        ann, bob = await again(server, ann), await again(server, bob)
        (event,) = await ended(bob, answered)
        assert (event["call"]["id"], event["outcome"], event["media"]) == (
            call,
            "answered",
            "audio",
        )
        assert event["duration_ms"] == event["call"]["ended_at"] - event["call"]["answered_at"] >= 0
        assert event["call"]["duration_ms"] == event["duration_ms"]
        (event,) = await ended(ann, unanswered)
        assert (event["call"]["id"], event["outcome"], event["duration_ms"]) == (
            missed,
            "missed",
            0,
        )
        listed = await ann.request("call:list", limit=9)
        assert {one["id"] for one in listed["calls"]} == {call, missed}
        server.kill()
    server.start()
    ann, bob = await again(server, ann), await again(server, bob)
    with pytest.raises(RequestRefused) as refused:
        await bob.request("call:hangup", call=call)
    assert refused.value.code == "not_found"
    assert await rings(ann, answered) == call  # a resend of the first: it is over, nobody rings
    following = await rings(ann, answered, "2")
    await bob.until("call:ringing")
    assert {one["call"]["id"] for one in bob.all("call:ringing")} == {following}
    await ann.close()
    await bob.close()
