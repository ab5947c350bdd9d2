"""Polling where it goes wrong: requests given up, upgrades that never end, bodies nobody reads."""

import asyncio
import contextlib
from typing import Any
from urllib.parse import urlsplit

import pytest

from signaling.gateway.socket import NOOP_DELAY_S
from tests.signaling.gateway.peers import (
    PATIENCE_S,
    Desk,
    Peer,
    alive,
    closed,
    config,
    gateway,
    text,
    until,
)


async def ended(desk: Desk) -> tuple[str, str]:
    return await asyncio.wait_for(desk.closings.get(), PATIENCE_S)


@contextlib.asynccontextmanager
async def halfway(peer: Peer, sid: str, method: str, rest: str = "\r\n") -> Any:
    """A request whose client goes away without a word; in the end the server knows of it."""
    address = urlsplit(peer.base)
    before = peer.requesting()
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    target = f"/socket.io/?EIO=4&transport=polling&sid={sid}"
    writer.write(f"{method} {target} HTTP/1.1\r\nHost: x\r\n{rest}".encode())
    yield
    (mine,) = peer.requesting() - before
    writer.transport.abort()
    with contextlib.suppress(ConnectionError):
        await reader.read()
    await until(lambda: mine.transport is None)


async def beaten(peer: Peer, sid: str) -> None:
    """A PING and its PONG."""
    peer.socket(sid).heartbeat._beat()
    assert await peer.get(sid) == (200, "2")
    assert (await peer.post(sid, "3"))[0] == 200


@pytest.mark.parametrize("cancelling", [True, False], ids=["cancelled", "not cancelled"])
async def test_a_poll_given_up_ends_the_session(cancelling: bool) -> None:
    """What such a poll takes from the queue is lost, so the session has to be."""
    async with gateway(None, cancelling=cancelling) as (served, peer, desk):
        sid, connection = await peer.joined_polling()
        socket = served._server.eio.sockets[sid]
        async with halfway(peer, sid, "GET"):
            await until(lambda: socket._poll is not None)
        if not cancelling:
            await until(lambda: socket.closed or served.emit([connection], "lost", {}))
        assert await ended(desk) == (connection, "transport error")
        assert (await peer.get(sid))[0] == 400


@pytest.mark.parametrize("cancelling", [True, False], ids=["cancelled", "not cancelled"])
async def test_a_post_given_up_ends_the_session(
    cancelling: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async with gateway(None, cancelling=cancelling) as (served, peer, desk):
        sid, connection = await peer.joined_polling()
        socket = served._server.eio.sockets[sid]
        rest = "Content-Length: 100\r\n\r\n42[1]"
        async with halfway(peer, sid, "POST", rest):
            await until(lambda: socket.posting)
        assert await ended(desk) == (connection, "transport error")
    assert not caplog.records


async def test_a_polling_session_without_a_poll_ends_by_ping_timeout_too() -> None:
    async with gateway(config(ping_timeout_ms=50)) as (_, peer, desk):
        sid, _connection = await peer.joined_polling()
        peer.socket(sid).heartbeat._beat()
        assert (await ended(desk))[1] == "ping timeout"
        assert (await peer.get(sid))[0] == 400


async def test_a_websocket_that_swallows_frames_leaves_polling_alone() -> None:
    """A proxy that answers 101 and passes nothing on."""
    async with gateway(config(upgrade_timeout_ms=200)) as (_, peer, desk):
        sid, _connection = await peer.joined_polling()
        ws = await peer.websocket(sid)
        await beaten(peer, sid)
        assert (await closed(ws))[0] == 1008
        await beaten(peer, sid)
        assert desk.closings.empty()
        await peer.post(sid, "1")


async def test_an_upgrade_that_stalls_answers_polls_slowly_and_leaves_polling_alone() -> None:
    async with gateway(config(upgrade_timeout_ms=60_000)) as (_, peer, desk):
        sid, _connection = await peer.joined_polling()
        ws = await peer.websocket(sid)
        await ws.send_str("2probe")
        assert await text(ws) == "3probe"
        loop = asyncio.get_running_loop()
        before = loop.time()
        for _ in range(3):
            assert await peer.get(sid) == (200, "6")
        assert loop.time() - before >= 3 * NOOP_DELAY_S - 0.01
        peer.socket(sid)._drop_probe()  # as its timer does
        assert (await closed(ws))[0] == 1008
        await beaten(peer, sid)
        assert desk.closings.empty()
        await peer.post(sid, "1")


async def test_what_waits_for_who_upgrades_and_does_not_read_is_bounded() -> None:
    async with gateway(config(max_queue_bytes=10_000)) as (served, peer, desk):
        sid, connection = await peer.joined_polling()
        ws = await peer.websocket(sid)
        await ws.send_str("2probe")
        assert await text(ws) == "3probe"
        served.emit([connection], "x", {"fill": "y" * 20_000})  # the first may be of any size
        (link,) = served._server.eio.links._open
        link.pause_writing()  # as the transport does when the kernel takes no more
        await ws.send_str("5")
        assert await ended(desk) == (connection, "slow_consumer")
        await ws.close()


@pytest.mark.parametrize("encoding", ["deflate", "gzip"])
async def test_a_compressed_post_ends_its_session_with_one_line(
    encoding: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with gateway() as (_, peer, desk):
        for _ in range(3):
            sid, _connection = await peer.joined_polling()
            headers = {"Content-Encoding": encoding}
            assert (await peer.request("POST", sid, b"\x00garbage" * 50, headers))[0] == 400
            assert (await ended(desk))[1] == "parse error"
            assert (await peer.get(sid))[0] == 400
        await alive(peer)
    (record,) = caplog.records
    assert record.exc_info is None


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_pong_behind_requests_that_are_not_read_yet_is_not_missed(transport: str) -> None:
    desk = Desk()
    gate = desk.gate("slow")
    async with gateway(config(max_pending_requests=2), desk) as (served, peer, _):
        request = '42["wait",{"gate":"slow"}]'
        if transport == "polling":
            sid, _connection = await peer.joined_polling()
            posting = asyncio.create_task(peer.post(sid, "\x1e".join([request] * 4)))
        else:
            ws, _first = await peer.joined({"token": "ann"})
            for packet in [request] * 4:
                await ws.send_str(packet)
        (socket,) = served._server.eio.sockets.values()
        beat = socket.heartbeat
        await until(lambda: beat._paused)
        beat._beat()
        if transport == "websocket":
            await ws.send_str("3")
        for _ in range(6):
            beat._overdue()
        assert not socket.closed
        gate.set()
        if transport == "polling":
            assert (await posting)[0] == 200
        await until(lambda: not beat._paused)
        await until(lambda: transport == "polling" or not beat._waiting)
        assert not socket.closed
        beat._beat()
        beat._overdue()
        assert (await ended(desk))[1] == "ping timeout"  # read again, and nothing comes


async def test_who_is_read_again_has_the_whole_time_for_a_pong() -> None:
    desk = Desk()
    gate = desk.gate("slow")
    async with gateway(config(max_pending_requests=2), desk) as (served, peer, _):
        ws, _first = await peer.joined({"token": "ann"})
        (socket,) = served._server.eio.sockets.values()
        beat = socket.heartbeat
        for _ in range(4):
            await ws.send_str('42["wait",{"gate":"slow"}]')
        await until(lambda: beat._paused)
        beat._beat()
        before = beat._timer
        gate.set()
        await until(lambda: not beat._paused)
        assert beat._waiting
        assert before is not beat._timer
        await ws.close()


async def test_slow_requests_end_no_session_that_polls() -> None:
    """Each may take its time; together they take longer than one may."""
    desk = Desk()
    desk.gate("never")
    tight = config(max_pending_requests=2, request_timeout_ms=100)
    async with gateway(tight, desk) as (_, peer, _desk):
        sid, _connection = await peer.joined_polling()
        request = '42["wait",{"gate":"never"}]'
        assert (await peer.post(sid, "\x1e".join([request] * 8)))[0] == 200
        assert (await peer.post(sid, '42["echo",{}]'))[0] == 200
        await until(lambda: desk.seen[-1][0] == "echo")
        assert desk.closings.empty()
        await peer.post(sid, "1")


async def test_a_post_is_answered_before_its_client_gives_it_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("signaling.gateway.socket.HOLD_S", 0.05)
    desk = Desk()
    gate = desk.gate("slow")
    async with gateway(config(max_pending_requests=2), desk) as (served, peer, _desk):
        sid, _connection = await peer.joined_polling()
        request = '42["wait",{"gate":"slow"}]'
        assert (await peer.post(sid, "\x1e".join([request] * 4)))[0] == 200
        assert (await peer.post(sid, "3"))[0] == 200
        assert (await peer.post(sid, "\x1e".join([request] * 9)))[0] == 200
        too_much = asyncio.create_task(peer.post(sid, '42["echo",{}]'))
        (socket,) = served._server.eio.sockets.values()
        await until(lambda: socket.posting)
        waiting = socket.session.waiting
        await asyncio.sleep(0.2)  # four times what a POST is held otherwise
        assert socket.session.waiting == waiting
        assert not too_much.done()
        gate.set()
        assert (await too_much)[0] == 200
        await until(lambda: desk.seen[-1][0] == "echo")
        assert len(desk.seen) == 1 + 4 + 9 + 1
        await peer.post(sid, "1")
