"""A fan-out past the transports: in order, whole, and to nobody else."""

import asyncio
import socket
from array import array
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress

import pytest
import uvloop
from aiohttp import ClientWebSocketResponse

from signaling.gateway import Gateway
from signaling.gateway.flusher import MIN_RUN
from signaling.gateway.ring import Ring
from tests.signaling.gateway.peers import (
    KB,
    Peer,
    call,
    event_of,
    gateway,
    non_reader,
    text,
    until_closed,
)

ROOM = 2 * MIN_RUN
Run = Callable[[Coroutine[None, None, None]], None]


@asynccontextmanager
async def room() -> AsyncIterator[tuple[Gateway, Peer, list[ClientWebSocketResponse], list[str]]]:
    async with gateway() as (served, peer, _desk):
        joined = [await peer.joined({"token": f"u{n}"}) for n in range(ROOM)]
        names = [event_of(first)[1]["connection"] for _, first in joined]
        yield served, peer, [ws for ws, _ in joined], names
        for ws, _ in joined:
            await ws.close()


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    def run(scenario: Coroutine[None, None, None]) -> None:
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(scenario)

    return run


@pytest.fixture(params=["ring", "no ring"])
def rings(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "no ring":
        monkeypatch.setattr(Ring, "open", lambda: None)


@pytest.mark.usefixtures("rings")
def test_what_one_turn_wrote_comes_in_order_to_everyone(run: Run) -> None:
    run(_what_one_turn_wrote_comes_in_order_to_everyone())


async def _what_one_turn_wrote_comes_in_order_to_everyone() -> None:
    async with room() as (served, _peer, clients, names):
        served.emit(names, "a", {"n": 1})
        served.emit(names[3:], "b", {"n": 2})
        served.emit(names[:-3], "c", {"n": 3})
        served.emit(names, "d", {"n": 4})
        for at, ws in enumerate(clients):
            due = ["a"] + ["b"] * (at >= 3) + ["c"] * (at < ROOM - 3) + ["d"]
            assert [event_of(await text(ws))[0] for _ in due] == due


@pytest.mark.usefixtures("rings")
def test_what_is_flushed_early_does_not_make_the_rest_come_twice(run: Run) -> None:
    run(_what_is_flushed_early_does_not_make_the_rest_come_twice())


async def _what_is_flushed_early_does_not_make_the_rest_come_twice() -> None:
    async with room() as (served, _peer, clients, names):
        for event in "abcd":
            served.emit(names, event, {"fill": "y" * 20 * KB * (event < "d")})
        served._flusher._flush()
        served.emit(names, "e", {})
        for ws in clients:
            assert [event_of(await text(ws))[0] for _ in "abcde"] == list("abcde")


@pytest.mark.usefixtures("rings")
def test_who_does_not_read_gets_everything_in_order_when_it_does(run: Run) -> None:
    run(_who_does_not_read_gets_everything_in_order_when_it_does())


async def _who_does_not_read_gets_everything_in_order_when_it_does() -> None:
    async with room() as (served, peer, clients, names):
        client, slow = await non_reader(peer)
        for n in range(60):
            served.emit([*names, slow], "x", {"n": n, "fill": "y" * 12 * KB})
            await asyncio.sleep(0)
        for ws in clients:
            assert [event_of(await text(ws))[1]["n"] for _ in range(60)] == list(range(60))
        client.shutdown(socket.SHUT_WR)
        received = await until_closed(client)
        at = [received.index(b'{"n":%d,' % n) for n in range(60)]
        assert at == sorted(at)
        assert received.count(b"y" * 12 * KB) == 60
        client.close()


@pytest.mark.usefixtures("rings")
def test_nothing_overtakes_what_the_transport_still_holds(run: Run) -> None:
    run(_nothing_overtakes_what_the_transport_still_holds())


async def _nothing_overtakes_what_the_transport_still_holds() -> None:
    async with room() as (served, peer, _clients, names):
        client, slow = await non_reader(peer)
        sent = 0
        while not sent or not served._links[slow].queued_bytes:
            served.emit([slow], "x", {"n": sent, "fill": "y" * KB})
            served._flusher._flush()
            sent += 1
        assert not served._links[slow].congested
        received = b""
        with suppress(BlockingIOError):  # the kernel has room, and the loop has not heard of it
            while True:
                received += client.recv(64 * KB)
        served.emit([*names, slow], "last", {})
        served._flusher._flush()
        client.shutdown(socket.SHUT_WR)
        received += await until_closed(client)
        assert received.index(b'"last"') > received.rindex(b"yy")
        client.close()


@pytest.mark.usefixtures("rings")
def test_nothing_goes_to_who_has_the_socket_of_one_who_left(run: Run) -> None:
    run(_nothing_goes_to_who_has_the_socket_of_one_who_left())


async def _nothing_goes_to_who_has_the_socket_of_one_who_left() -> None:
    async with room() as (served, _peer, clients, names):
        served.emit(names, "x", {"n": 1})
        for name in names[::2]:
            served._links[name]._transport.abort()
        heirs = [socket.socketpair() for _ in names]
        served._flusher._flush()
        for ours, theirs in heirs:
            ours.close()
            theirs.setblocking(False)
            assert theirs.recv(KB) == b""
            theirs.close()
        for ws in clients[1::2]:
            assert event_of(await text(ws)) == ("x", {"n": 1})
            assert (await call(ws, "y", {}))["ok"] is True


@pytest.mark.skipif(Ring.open() is None, reason="the kernel keeps io_uring from us")
async def test_a_room_costs_one_system_call(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    send = Ring.send

    def counted(self: Ring, sockets: "array[int]", frame: bytes) -> dict[int, int]:
        calls.append(len(sockets))
        return send(self, sockets, frame)

    monkeypatch.setattr(Ring, "send", counted)
    async with room() as (served, _peer, clients, names):
        served.emit(names, "x", {"n": 1})
        for ws in clients:
            assert event_of(await text(ws)) == ("x", {"n": 1})
    assert calls == [ROOM]
