"""A node that goes away: clients are told when to come back, answered, and closed in waves."""

import asyncio
import json

import pytest

from signaling.gateway import Gateway
from signaling.gateway.gateway import WAVES
from signaling.model import Identity
from tests.signaling.gateway.peers import (
    PATIENCE_S,
    Desk,
    Peer,
    closed,
    config,
    event_of,
    gateway,
    text,
)


async def test_draining_tells_everyone_answers_what_is_in_flight_and_closes() -> None:
    desk = Desk()
    gate = desk.gate("slow")
    async with gateway(config(drain_ms=20, drain_retry_ms=(100, 200)), desk) as (served, peer, _):
        ann, _first = await peer.joined({"token": "ann"})
        bob, _first = await peer.joined({"token": "bob"})
        await ann.send_str('421["wait",{"gate":"slow"}]')
        await asyncio.wait_for(desk.entered["slow"].wait(), PATIENCE_S)
        assert served.accepting
        draining = asyncio.create_task(served.drain())
        for ws in (ann, bob):
            name, data = event_of(await text(ws))
            assert name == "server:drain"
            assert 100 <= data["retry_after_ms"] <= 200
        assert not served.accepting
        assert (await peer.get())[0] == 503
        gate.set()
        assert (await text(ann)).startswith('431[{"ok":true')
        assert await closed(ann) == (1000, "server:drain")
        assert await closed(bob) == (1000, "server:drain")
        await draining
        ends = [await asyncio.wait_for(desk.closings.get(), PATIENCE_S) for _ in range(2)]
        assert {reason for _, reason in ends} == {"server:drain"}


async def test_who_polls_gets_the_answers_too_and_then_the_end() -> None:
    desk = Desk()
    gate = desk.gate("slow")
    async with gateway(config(drain_ms=20), desk) as (served, peer, _):
        sid = await peer.open_polling()
        await peer.post(sid, '40{"token":"ann"}')
        await polled(peer, sid, "session:ready")
        await peer.post(sid, '421["wait",{"gate":"slow"}]')
        await asyncio.wait_for(desk.entered["slow"].wait(), PATIENCE_S)
        draining = asyncio.create_task(served.drain())
        assert "server:drain" in await polled(peer, sid, "server:drain")
        gate.set()
        assert '431[{"ok":true' in await polled(peer, sid, "431")
        await draining
        assert (await peer.get(sid))[0] == 400


async def polled(peer: Peer, sid: str, word: str) -> str:
    """Poll until the word comes; all that came."""
    received = ""
    while word not in received:
        status, body = await peer.get(sid)
        assert status == 200
        received += body
    return received


async def test_nothing_is_read_from_who_is_being_sent_off() -> None:
    desk = Desk()
    gate = desk.gate("slow")
    async with gateway(config(drain_ms=0), desk) as (served, peer, _):
        ws, _first = await peer.joined({"token": "ann"})
        await ws.send_str('421["wait",{"gate":"slow"}]')
        await asyncio.wait_for(desk.entered["slow"].wait(), PATIENCE_S)
        draining = asyncio.create_task(served.drain())
        assert event_of(await text(ws))[0] == "server:drain"
        await asyncio.sleep(0)
        await ws.send_str('422["too late",{}]')
        gate.set()
        assert (await text(ws)).startswith("431")
        assert await closed(ws) == (1000, "server:drain")
        await draining
        assert [event for event, _ in desk.seen] == ["opened", "wait"]


async def test_what_is_posted_by_who_is_being_sent_off_is_not_carried_out() -> None:
    """Its answer would find no poll any more: kept, and its sender never told."""
    desk = Desk()
    async with gateway(config(drain_ms=0), desk) as (served, peer, _):
        sid = await peer.open_polling()
        await peer.post(sid, '40{"token":"ann"}')
        await polled(peer, sid, "session:ready")
        draining = asyncio.create_task(served.drain())
        await asyncio.sleep(0)  # `server:drain` waits for the next poll now
        posting = asyncio.create_task(peer.post(sid, '421["too late",{}]'))
        await asyncio.wait([posting], timeout=0.1)
        assert "server:drain" in await polled(peer, sid, "server:drain")
        await draining
        assert (await posting)[0] == 400
        assert [event for event, _ in desk.seen] == ["opened"]


async def test_a_request_that_never_ends_holds_nobody_up() -> None:
    desk = Desk()
    desk.gate("never")
    async with gateway(config(drain_ms=0, drain_flush_ms=50), desk) as (served, peer, _):
        ws, _first = await peer.joined({"token": "ann"})
        await ws.send_str('421["wait",{"gate":"never"}]')
        await asyncio.wait_for(desk.entered["never"].wait(), PATIENCE_S)
        await asyncio.wait_for(served.drain(), PATIENCE_S)
        assert event_of(await text(ws))[0] == "server:drain"
        assert await closed(ws) == (1000, "server:drain")
        desk.gates["never"].set()


class Counting(Desk):
    """Notes with every end how many sockets there still are."""

    def __init__(self) -> None:
        super().__init__()
        self.served: Gateway | None = None
        self.left: list[object] = []

    async def closed(self, who: Identity, reason: str) -> None:
        assert self.served is not None
        self.left.append(self.served.stats()["sockets"])
        await super().closed(who, reason)


async def test_sockets_close_in_waves_and_everyone_has_a_time_of_their_own() -> None:
    desk = Counting()
    async with gateway(config(drain_ms=400), desk) as (served, peer, _):
        desk.served = served
        joined = [await peer.joined({"token": f"u{n}"}) for n in range(2 * WAVES)]
        draining = asyncio.create_task(served.drain())
        times = [event_of(await text(ws))[1]["retry_after_ms"] for ws, _ in joined]
        assert len(set(times)) > WAVES
        for _ in joined:
            await asyncio.wait_for(desk.closings.get(), PATIENCE_S)
        await draining
        assert len(set(desk.left)) > 3, "they went one wave after the other"
        assert {json.dumps(await closed(ws)) for ws, _ in joined} == {'[1000, "server:drain"]'}


async def expelled(peer: Peer, served: Gateway, desk: Desk) -> str:
    """The sid of a polling session that was closed while no poll waited."""
    sid = await peer.open_polling()
    await peer.post(sid, '40{"token":"ann"}')
    await polled(peer, sid, "session:ready")
    served.close(desk.remotes[-1].connection, "revoked")
    assert (await asyncio.wait_for(desk.closings.get(), PATIENCE_S))[1] == "revoked"
    return sid


async def test_who_is_between_two_polls_is_told_of_the_end() -> None:
    async with gateway(config()) as (served, peer, desk):
        sid = await expelled(peer, served, desk)
        assert await peer.post(sid, '421["x",{}]') == (200, "ok")
        assert await peer.get(sid) == (200, "41")
        assert await peer.get(sid) == (200, "1")
        assert (await peer.get(sid))[0] == 400
        assert [event for event, _ in desk.seen] == ["opened"]
        assert served.stats()["sockets"] == 0


async def test_who_waits_in_a_poll_is_told_of_the_end_and_then_it_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("signaling.gateway.socket.LINGER_S", 3600)
    async with gateway(config()) as (served, peer, desk):
        sid, connection = await peer.joined_polling()
        socket = served._server.eio.sockets[sid]
        poll = asyncio.create_task(peer.get(sid))
        async with asyncio.timeout(PATIENCE_S):
            while socket._poll is None:
                await asyncio.sleep(0.005)
        served.close(connection, "revoked")
        assert await poll == (200, "41")
        assert await asyncio.wait_for(peer.get(sid), PATIENCE_S) == (200, "1")
        assert (await peer.get(sid))[0] == 400
        assert (await asyncio.wait_for(desk.closings.get(), PATIENCE_S))[1] == "revoked"


async def test_who_is_upgrading_is_told_of_the_end() -> None:
    async with gateway(config()) as (served, peer, desk):
        sid = await expelled(peer, served, desk)
        ws = await peer.websocket(sid)
        await ws.send_str("2probe")
        assert await text(ws) == "3probe"
        await ws.send_str("5")
        assert await text(ws) == "41"
        assert await closed(ws) == (1000, "revoked")


async def test_who_never_polls_again_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signaling.gateway.socket.LINGER_S", 0.02)
    async with gateway(config()) as (served, peer, desk):
        sid = await expelled(peer, served, desk)
        await asyncio.sleep(0.1)
        assert (await peer.get(sid))[0] == 400
        assert served.stats()["sockets"] == 0
