"""A Connection that cannot keep up is closed, never buffered without bound; nobody waits for it."""

import asyncio
import socket

from signaling.gateway.latest import MAX_KEPT, Latest
from signaling.model import Identity
from tests.signaling.gateway.peers import (
    KB,
    PATIENCE_S,
    config,
    event_of,
    gateway,
    non_reader,
    text,
)


async def test_invariant_12_a_connection_that_cannot_keep_up_is_closed_as_slow_consumer() -> None:
    async with gateway() as (served, peer, desk):
        healthy, first = await peer.joined({"token": "ann"})
        ann = event_of(first)[1]["connection"]
        client, slow = await non_reader(peer)
        sent = 0
        while desk.closings.empty():
            served.emit([slow, ann], "x", {"n": sent, "fill": "y" * 32 * KB})
            sent += 1
            name, data = event_of(await text(healthy))
            assert (name, data["n"]) == ("x", sent - 1)
            assert sent < 1000
        assert await desk.closings.get() == (slow, "slow_consumer")
        assert sent * 32 * KB < 1500 * KB  # ours and what the kernel took
        assert served.stats()["closed_total"] == {"slow_consumer": 1}
        client.close()
        await healthy.close()


async def test_what_waits_for_a_slow_connection_is_bounded() -> None:
    small = config(max_queue_bytes=100 * KB, volatile_mark_bytes=10 * KB)
    async with gateway(small) as (served, peer, _desk):
        client, slow = await non_reader(peer)
        (link,) = served._server.eio.links._open
        most = 0
        while link.owner is not None:
            served.emit([slow], "x", {"fill": "y" * KB})
            most = max(most, link.queued_bytes)
            assert most <= 100 * KB
        assert most > 90 * KB
        client.close()


async def test_volatile_events_are_dropped_first() -> None:
    async with gateway() as (served, peer, desk):
        client, slow = await non_reader(peer)
        for _ in range(5000):
            served.emit([slow], "typing", {"fill": "y" * 4 * KB}, volatile=True)
        await asyncio.sleep(0)
        assert desk.closings.empty()
        served.emit([slow], "last", {})
        received = b""
        loop = asyncio.get_running_loop()
        while b'42["last",{}]' not in received:
            received += await asyncio.wait_for(loop.sock_recv(client, 64 * KB), PATIENCE_S)
        arrived = received.count(b"typing")
        assert 1 <= arrived < 5000
        assert served.stats()["volatile_dropped_total"] == 5000 - arrived
        client.close()


async def test_polling_is_bounded_in_bytes_too() -> None:
    async with gateway() as (served, peer, desk):
        sid = await peer.open_polling()
        await peer.post(sid, '40{"token":"ann"}')
        messages: list[str] = []
        while len(messages) < 2:
            messages += (await peer.get(sid))[1].split("\x1e")
        ann = event_of(messages[1])[1]["connection"]
        for _ in range(300):
            served.emit([ann], "typing", {"fill": "y" * KB}, volatile=True)
        _, body = await peer.get(sid)
        assert len(body) < 64 * KB
        assert served.stats()["volatile_dropped_total"] == 300 - body.count("typing")
        for _ in range(1100):
            served.emit([ann], "x", {"fill": "y" * KB})
        assert await asyncio.wait_for(desk.closings.get(), PATIENCE_S) == (ann, "slow_consumer")
        assert (await peer.get(sid))[0] == 400


async def test_volatile_events_are_dropped_first_before_ready_too() -> None:
    async with gateway() as (served, peer, desk):

        def emit(who: Identity) -> None:
            for _ in range(2000):
                served.emit([who.connection], "typing", {"fill": "y" * KB}, volatile=True)
            served.emit([who.connection], "last", {})

        desk.opening = emit
        ws, _ = await peer.joined({"token": "ann"})
        received = 0
        while (name := event_of(await text(ws))[0]) == "typing":
            received += 1
        assert name == "last"
        assert 60 <= received <= 70
        assert served.stats()["volatile_dropped_total"] == 2000 - received
        await ws.close()


async def test_what_is_held_before_ready_is_bounded() -> None:
    async with gateway() as (served, peer, desk):
        desk.opening = lambda who: [
            served.emit([who.connection], "x", {"fill": "y" * 64 * KB}) for _ in range(20)
        ]
        ws = await peer.opened()
        await ws.send_str('40{"token":"ann"}')
        _, reason = await asyncio.wait_for(desk.closings.get(), PATIENCE_S)
        assert reason == "slow_consumer"
        await ws.close()


async def test_what_waited_and_what_did_not_arrive_in_order() -> None:
    async with gateway() as (served, peer, _desk):
        client, slow = await non_reader(peer)
        loop = asyncio.get_running_loop()
        for n in range(300):
            served.emit([slow], "x", {"n": n, "fill": "y" * (KB if n % 7 else 8 * KB)})
            if n % 50 == 0:
                await asyncio.sleep(0)
        served.emit([slow], "last", {})
        received = b""
        while b'42["last",{}]' not in received:
            received += await asyncio.wait_for(loop.sock_recv(client, 64 * KB), PATIENCE_S)
        seen = [int(part.split(b",")[0]) for part in received.split(b'42["x",{"n":')[1:]]
        assert seen == list(range(300))
        client.close()


async def drained(client: socket.socket, last: bytes) -> bytes:
    """All that comes until `last` has come."""
    loop, received = asyncio.get_running_loop(), b""
    while last not in received:
        received += await asyncio.wait_for(loop.sock_recv(client, 64 * KB), PATIENCE_S)
    return received


async def test_who_is_slow_learns_later_how_things_are_by_then() -> None:
    async with gateway() as (served, peer, desk):
        client, slow = await non_reader(peer)
        (link,) = served._server.eio.links._open
        while not link.congested:
            served.emit([slow], "fill", {"fill": "y" * 4 * KB}, volatile=True)
            await asyncio.sleep(0)
        for n in range(5000):
            for user in ("ann", "bob"):
                data = {"user": user, "n": n, "fill": "y" * KB}
                served.emit([slow], "presence:changed", data, latest=user)
        assert link.congested
        received = await drained(client, b'"user":"bob","n":4999')
        assert received.count(b"presence:changed") == 2
        assert b'"user":"ann","n":4999' in received
        served.emit([slow], "presence:changed", {"user": "ann", "n": "newer"}, latest="ann")
        await drained(client, b'"n":"newer"')
        assert desk.closings.empty()
        client.close()


async def test_who_polls_slowly_learns_the_latest_too() -> None:
    async with gateway() as (served, peer, desk):
        sid, ann = await peer.joined_polling()
        for n in range(5000):
            served.emit([ann], "presence:changed", {"n": n, "fill": "y" * KB}, latest="bob")
        received = ""
        while '"n":4999' not in received:
            received += (await peer.get(sid))[1]
        assert received.count("presence:changed") < 100
        assert desk.closings.empty()
        await peer.post(sid, "1")


def test_what_is_kept_is_bounded() -> None:
    latest = Latest()
    assert all(latest.keep(str(n), b"old") for n in range(MAX_KEPT))
    assert not latest.keep("one more", b"x")
    assert latest.keep("0", b"new")
    kept = latest.take()
    assert len(kept) == MAX_KEPT
    assert list(kept.items())[-1] == ("0", b"new")
    assert latest.take() == {}
