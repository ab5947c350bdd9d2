"""Past calls over REST: one's own, page by page."""

from __future__ import annotations

from aiohttp import ClientSession

from tests.conftest import MakeProcess
from tests.signaling.http.callers import Caller
from tests.wire_client import WireClient


async def test_past_calls_come_in_pages_to_who_was_there(make_process: MakeProcess) -> None:
    process = await make_process(**{"media.ring_ms": 100})
    ann = await WireClient(process.url, "ann").connect()
    bob = await WireClient(process.url, "bob").connect()
    eve = await WireClient(process.url, "eve").connect()
    made = await ann.request("conversation:create", type="direct", members=["bob"], client_id="d")
    where, calls = made["conversation"]["id"], []
    for number in ("1", "2", "3"):
        asked = {"conversation": where, "media": "audio", "client_id": number}
        calls.append((await ann.request("call:invite", **asked))["call"]["id"])
        await bob.until("call:ended", count=len(calls), conversation=where)
    async with ClientSession(process.url) as client:
        caller = Caller(client, f"Bearer {bob.token}")
        status, page = await caller("GET", "/v1/calls?limit=2")
        assert status == 200
        assert [one["id"] for one in page["calls"]] == calls[:0:-1]
        assert {one["outcome"] for one in page["calls"]} == {"missed"}
        _, rest = await caller("GET", f"/v1/calls?limit=2&cursor={page['next']}")
        assert ([one["id"] for one in rest["calls"]], rest["next"]) == (calls[:1], None)
        assert (await caller("GET", "/v1/calls?cursor=none"))[0] == 404
        _, nothing = await Caller(client, f"Bearer {eve.token}")("GET", "/v1/calls")
        assert (nothing["calls"], nothing["next"]) == ([], None)
        assert (await Caller(client, "")("GET", "/v1/calls"))[0] == 401
    for one in (ann, bob, eve):
        await one.close()
