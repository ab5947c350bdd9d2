"""Coming and going: what runs of a Connection that has left, and what of that its client hears."""

import asyncio
import json
from typing import Any

from signaling.gateway import GatewayConfig
from signaling.gateway.server import MAX_LEAVING
from tests.signaling.gateway.peers import PATIENCE_S, Desk, call, closed, gateway, text

CONNECT = '40{"token":"ann"}'


def config(**changes: Any) -> GatewayConfig:
    return GatewayConfig(origins=("*",), **changes)


async def test_leaving_and_coming_makes_no_heap_of_tasks() -> None:
    desk = Desk()
    gate = desk.gate("authenticate")
    async with gateway(None, desk) as (served, peer, _):
        ws = await peer.opened()
        for _ in range(50):
            await ws.send_str(CONNECT)
            await ws.send_str("41")
        assert await closed(ws) == (1008, "parse error")
        assert len(served._server.tasks) <= MAX_LEAVING + 1
        gate.set()


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
    async with gateway(config(request_timeout_ms=100), desk) as (served, peer, _):
        ws = await peer.opened()
        await ws.send_str(CONNECT)
        await asyncio.wait_for(desk.entered["authenticate"].wait(), PATIENCE_S)
        closing = asyncio.create_task(served.aclose())
        await closed(ws)
        await asyncio.wait_for(closing, PATIENCE_S)
        assert not served._server.tasks


async def test_the_node_hears_of_the_end_of_a_connection_whose_task_broke() -> None:
    async with gateway() as (served, peer, desk):
        ws, first = await peer.joined({"token": "ann"})
        name = json.loads(first[2:])[1]["connection"]
        (task,) = served._server.tasks
        task.cancel()
        assert (await closed(ws))[1] == "unavailable"
        assert await asyncio.wait_for(desk.closings.get(), PATIENCE_S) == (name, "unavailable")
        assert served.stats()["connections"] == 0
