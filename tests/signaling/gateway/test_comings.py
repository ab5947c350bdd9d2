"""Coming and going: what runs of a Connection that has left, and what of that its client hears."""

import asyncio
import json

from signaling.gateway.server import MAX_LEAVING
from tests.signaling.gateway.peers import PATIENCE_S, Desk, call, closed, event_of, gateway, text

CONNECT = '40{"token":"ann"}'


async def test_leaving_and_coming_makes_no_heap_of_tasks() -> None:
    desk = Desk()
    gate = desk.gate("authenticate")
    async with gateway(None, desk) as (served, peer, _):
        ws = await peer.opened()
        for _ in range(50):
            await ws.send_str(CONNECT)
            await ws.send_str("41")
        assert await closed(ws) == (1008, "parse error")
        assert len(served._server.tasks) == MAX_LEAVING + 1
        gate.set()
        for _ in range(MAX_LEAVING + 1):
            await asyncio.wait_for(desk.closings.get(), PATIENCE_S)
        assert served.stats()["connections"] == 0


async def test_a_few_who_leave_and_come_are_served() -> None:
    desk = Desk()
    gate = desk.gate("slow")
    async with gateway(None, desk) as (_, peer, _desk):
        ws, _first = await peer.joined({"token": "ann"})
        for _ in range(MAX_LEAVING):
            desk.entered["slow"].clear()
            await ws.send_str('42["wait",{"gate":"slow"}]')
            await asyncio.wait_for(desk.entered["slow"].wait(), PATIENCE_S)
            await ws.send_str("41")
            await ws.send_str(CONNECT)
            assert (await text(ws)).startswith('40{"sid"')
            assert (await text(ws)).startswith('42["session:ready"')
        gate.set()
        assert (await call(ws, "x", {}))["ok"] is True
        await ws.close()


async def test_who_has_left_a_namespace_is_sent_nothing() -> None:
    desk = Desk()
    gate = desk.gate("slow")
    async with gateway(None, desk) as (served, peer, _):
        ws, first = await peer.joined({"token": "ann"})
        ann = event_of(first)[1]["connection"]
        for _ in range(2):  # the second goes the short way
            served.emit([ann], "hello", {})
            assert event_of(await text(ws)) == ("hello", {})
        await ws.send_str('42["wait",{"gate":"slow"}]')
        await asyncio.wait_for(desk.entered["slow"].wait(), PATIENCE_S)
        await ws.send_str("41")
        await ws.send_str(CONNECT)
        assert (await text(ws)).startswith('40{"sid"')
        served.emit([ann], "too late", {})
        assert event_of(await text(ws))[0] == "session:ready"
        gate.set()
        assert await asyncio.wait_for(desk.closings.get(), PATIENCE_S) == (
            ann,
            "client namespace disconnect",
        )
        await ws.send_str('421["x",{}]')
        assert (await text(ws)).startswith("431")
        await ws.close()
        await asyncio.wait_for(desk.closings.get(), PATIENCE_S)
        assert not served._links


async def test_what_is_sent_before_during_and_after_an_upgrade_comes_in_order() -> None:
    async with gateway() as (served, peer, _desk):
        sid, ann = await peer.joined_polling()
        ws = await peer.websocket(sid)
        served.emit([ann], "x", {"n": 0})
        await ws.send_str("2probe")
        assert await text(ws) == "3probe"
        served.emit([ann], "x", {"n": 1})
        await ws.send_str("5")
        seen = [event_of(await text(ws))[1]["n"]]
        for n in range(2, 5):
            served.emit([ann], "x", {"n": n})
            served.emit([ann, ann], "x", {"n": n})
        while len(seen) < 11:
            seen.append(event_of(await text(ws))[1]["n"])
        assert seen == [0, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]
        await ws.close()


async def test_who_came_again_does_not_hear_that_the_last_one_was_refused() -> None:
    desk = Desk()
    gate = desk.gate("authenticate")
    async with gateway(None, desk) as (_, peer, _desk):
        ws = await peer.opened()
        await ws.send_str('40{"no":"token"}')
        await asyncio.wait_for(desk.entered["authenticate"].wait(), PATIENCE_S)
        desk.entered["authenticate"].clear()
        await ws.send_str("41")
        await ws.send_str(CONNECT)
        await asyncio.wait_for(desk.entered["authenticate"].wait(), PATIENCE_S)
        gate.set()
        assert (await text(ws)).startswith('40{"sid"')
        await ws.close()


async def test_closing_waits_for_who_is_being_authenticated() -> None:
    desk = Desk()
    gate = desk.gate("authenticate")
    async with gateway(None, desk) as (served, peer, _):
        ws = await peer.opened()
        await ws.send_str(CONNECT)
        await asyncio.wait_for(desk.entered["authenticate"].wait(), PATIENCE_S)
        closing = asyncio.create_task(served.aclose())
        await closed(ws)
        gate.set()
        await closing
        assert not served._server.tasks
        assert desk.closings.get_nowait()[1] == "server:drain"


async def test_closing_ends_what_takes_too_long() -> None:
    desk = Desk()
    desk.gate("authenticate")
    async with gateway(None, desk) as (served, peer, _):
        ws = await peer.opened()
        await ws.send_str(CONNECT)
        await asyncio.wait_for(desk.entered["authenticate"].wait(), PATIENCE_S)
        await asyncio.wait_for(served._server.finish(0.05), PATIENCE_S)
        assert not served._server.tasks
        await ws.close()


async def test_the_node_hears_of_the_end_of_a_connection_whose_task_broke() -> None:
    async with gateway() as (served, peer, desk):
        ws, first = await peer.joined({"token": "ann"})
        name = json.loads(first[2:])[1]["connection"]
        (task,) = served._server.tasks
        task.cancel()
        assert (await closed(ws))[1] == "unavailable"
        assert await asyncio.wait_for(desk.closings.get(), PATIENCE_S) == (name, "unavailable")
        assert served.stats()["connections"] == 0
