"""A WebSocket's end, whatever its peer does: nothing stays open, nothing is said twice."""

import asyncio
import socket

import pytest

from signaling.gateway import link as link_module
from signaling.gateway.flusher import Flusher
from signaling.gateway.link import MAX_PINGS, Link
from tests.signaling.gateway.peers import (
    KB,
    PATIENCE_S,
    alive,
    call,
    closed,
    event_of,
    gateway,
    non_reader,
    raw,
    text,
    until_closed,
)


async def test_who_says_goodbye_and_never_reads_holds_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(link_module, "LINGER_S", 0.05)
    async with gateway() as (served, peer, desk):
        links = served._server.eio.links
        client, slow = await non_reader(peer)
        for _ in range(15):
            served.emit([slow], "x", {"fill": "y" * 64 * KB})
        await asyncio.sleep(0)
        client.shutdown(socket.SHUT_WR)
        assert await asyncio.wait_for(desk.closings.get(), PATIENCE_S) == (slow, "transport close")
        await asyncio.wait_for(links._emptied.wait(), PATIENCE_S)
        assert len(links) == 0
        client.close()


async def test_who_says_goodbye_and_reads_gets_all_there_is() -> None:
    async with gateway() as (served, peer, _desk):
        client, slow = await non_reader(peer)
        for _ in range(15):
            served.emit([slow], "x", {"fill": "y" * 64 * KB})
        client.shutdown(socket.SHUT_WR)
        assert (await until_closed(client)).count(b"y" * 64 * KB) == 15
        client.close()


class Broken:
    """Stands for a Link whose transport fails in a way nobody thought of."""

    more = ()
    pending: bytes | None = b"frame"

    def flush(self) -> None:
        if self.pending is not None:
            self.pending = None
            raise RuntimeError("a bug of ours")


async def test_a_flush_that_fails_holds_up_nobody_else() -> None:
    failures: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: failures.append(context["exception"]))
    async with gateway() as (served, peer, _desk):
        ws, first = await peer.joined({"token": "ann"})
        ann = event_of(first)[1]["connection"]
        flusher: Flusher = served._server.eio.links.flusher
        for n in range(2):
            broken: Link = Broken()  # type: ignore[assignment]
            flusher.add(broken)
            served.emit([ann], "x", {"n": n})
            assert event_of(await text(ws)) == ("x", {"n": n})
        await ws.close()
    assert len(failures) == 2


async def test_pings_are_answered_and_counted() -> None:
    async with gateway() as (served, peer, _desk):
        ws, _first = await peer.joined({"token": "ann"})
        for _ in range(MAX_PINGS):
            await ws.ping()
        assert (await call(ws, "x", {}))["ok"] is True
        (socket_,) = served._server.eio.sockets.values()
        socket_.heartbeat._beat()
        for _ in range(MAX_PINGS):
            await ws.ping()
        assert (await call(ws, "x", {}))["ok"] is True
        await ws.ping()
        assert await closed(ws) == (1008, "parse error")


async def test_broken_frames_make_one_line_and_one_kind_of_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with gateway() as (served, peer, desk):
        for broken in (b"\x81\x05hello", b"\xf1\x80aaaa", b"\x88\x81aaaab", b"\x81\x81aaaa\x9e"):
            client, slow = await non_reader(peer)
            await asyncio.get_running_loop().sock_sendall(client, broken)
            await until_closed(client)
            client.close()
            assert await asyncio.wait_for(desk.closings.get(), PATIENCE_S) == (slow, "parse error")
        assert served.stats()["closed_total"] == {"parse error": 4}
    (record,) = caplog.records
    assert record.exc_info is None


async def test_broken_frames_of_a_second_transport_leave_the_first_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with gateway() as (_, peer, desk):
        sid, _connection = await peer.joined_polling()
        connection = await raw(peer, query=f"&sid={sid}", early=b"\x81\x05hello")
        received = await until_closed(connection)
        connection.close()
        assert (1002).to_bytes(2, "big") in received
        await peer.post(sid, '421["x",{}]')
        assert (await peer.get(sid))[1] == '431[{"ok":true,"echo":{}}]'
        assert desk.closings.empty()
        await peer.post(sid, "1")
        await alive(peer)
    (record,) = caplog.records
    assert "parse error" in record.getMessage()
