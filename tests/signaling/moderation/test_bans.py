"""Users shut out of an app: cut at once, on every node, and kept out."""

import asyncio

import pytest
from aiohttp import ClientSession
from socketio.exceptions import ConnectionError as RefusedAtDoor

from signaling.auth.registry import now_ms
from tests.conftest import MakeProcess
from tests.signaling.moderation.conftest import World
from tests.wire_client import WireClient


async def cut(client: WireClient) -> None:
    async with asyncio.timeout(60):
        await client.disconnected.wait()


async def test_a_banned_user_is_cut_and_stays_out(world: World) -> None:
    ann, tablet = (WireClient(world.process.url, "ann", device) for device in ("phone", "tablet"))
    bob = WireClient(world.process.url, "bob")
    for client in (ann, tablet, bob):
        await client.connect()
    banned = await world.ask("PUT", "/users/ann/ban", {"reason": "fraud"})
    assert (banned["user"], banned["until"], banned["by"]) == ("ann", None, f"key:{world.key}")
    await asyncio.gather(cut(ann), cut(tablet))
    fresh = WireClient(world.process.url, "ann")
    with pytest.raises(RefusedAtDoor):
        await fresh.connect()
    headers = {"Authorization": f"Bearer {fresh.token}"}
    async with (
        ClientSession(headers=headers) as http,
        http.get(f"{world.process.url}/v1/conversations") as answer,
    ):
        assert (answer.status, (await answer.json())["code"]) == (403, "forbidden")
    assert not bob.disconnected.is_set()
    assert [ban["user"] for ban in (await world.ask("GET", "/bans"))["bans"]] == ["ann"]
    await world.ask("DELETE", "/users/ann/ban")
    await world.ask("DELETE", "/users/ann/ban", status=404)
    await WireClient(world.process.url, "ann").connect()
    assert [act["action"] for act in await world.acts("user:*")] == ["user:unbanned", "user:banned"]


async def test_a_ban_reaches_another_node(world: World, make_process: MakeProcess) -> None:
    other = await make_process()
    ann = await WireClient(other.url, "ann").connect()
    await world.ask("PUT", "/users/ann/ban", {"until": now_ms() + 600_000})
    await cut(ann)
    with pytest.raises(RefusedAtDoor):
        await WireClient(other.url, "ann").connect()


async def test_a_ban_that_is_over_shuts_nobody_out(world: World) -> None:
    await world.ask("PUT", "/users/ann/ban", {"until": 5}, status=400)
    await world.ask("PUT", "/users/ann/ban", {"until": now_ms() + 600_000})
    ban = await world.process.moderating.bans.store.get("demo", "ann")
    assert ban is not None
    assert ban.until is not None
    world.process.moderating.bans._clock = lambda: ban.until
    await WireClient(world.process.url, "ann").connect()


async def test_what_a_banned_user_had_scheduled_is_not_sent(world: World) -> None:
    ann = await WireClient(world.process.url, "ann").connect()
    joined = await ann.request("conversation:join", alias="hall", create=True)
    await ann.request(
        "message:send",
        conversation=joined["conversation"]["id"],
        client_id="later",
        type="text",
        body={"text": "later"},
        send_at=now_ms() + 600_000,
    )
    bans = world.process.moderating.bans
    assert len(await bans._waiting.of("demo", "ann")) == 1
    await world.ask("PUT", "/users/ann/ban", {})
    assert await bans._waiting.of("demo", "ann") == []
