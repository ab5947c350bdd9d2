"""What the gateway promises to the node and to clients."""

import asyncio
import json
from typing import Any

import pytest

from signaling.model import Identity
from tests.signaling.gateway.peers import (
    PATIENCE_S,
    Desk,
    call,
    closed,
    config,
    event_of,
    gateway,
    text,
    until,
)


async def refused(auth: str, desk: Desk | None = None, **changes: Any) -> dict[str, Any]:
    """What CONNECT is answered with."""
    async with gateway(config(**changes), desk) as (_, peer, _desk):
        ws = await peer.opened()
        await ws.send_str("40" + auth)
        answer = await text(ws)
        await ws.close()
    assert answer.startswith("44"), answer
    return dict(json.loads(answer[2:]))


async def test_a_refused_connect_says_why() -> None:
    assert await refused("{}") == {
        "message": "no token",
        "data": {"code": "unauthorized", "message": "no token"},
    }


async def test_a_bug_in_authenticate_is_internal_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    answer = await refused('{"token":"broken"}')
    assert answer["data"]["code"] == "internal"
    (record,) = caplog.records
    assert answer["message"].split()[-1] in record.getMessage()
    assert record.exc_info


async def test_authentication_has_a_timeout() -> None:
    desk = Desk()
    desk.gate("authenticate")
    answer = await refused('{"token":"ann"}', desk, request_timeout_ms=50)
    assert answer["data"]["code"] == "timeout"


async def test_a_socket_that_does_not_authenticate_in_time_is_closed() -> None:
    async with gateway(config(connect_timeout_ms=50)) as (_, peer, _desk):
        ws = await peer.opened()
        assert await closed(ws) == (1000, "connect timeout")


async def test_who_is_kept_waiting_by_the_server_is_not_late() -> None:
    """As after a restart, when everybody comes back at once."""
    desk = Desk()
    gate = desk.gate("authenticate")
    async with gateway(config(connect_timeout_ms=30_000), desk) as (served, peer, _desk):
        ws = await peer.opened()
        (socket,) = served._server.eio.sockets.values()
        assert socket.session._timer is not None
        await ws.send_str('40{"token":"ann"}')
        await asyncio.wait_for(desk.entered["authenticate"].wait(), PATIENCE_S)
        assert socket.session._timer is None, "nothing ends it while it is our turn"
        gate.set()
        assert (await text(ws)).startswith('40{"sid":')
        assert event_of(await text(ws))[0] == "session:ready"


async def test_who_was_refused_has_what_is_left_of_the_time() -> None:
    async with gateway(config(connect_timeout_ms=30_000)) as (served, peer, _desk):
        ws = await peer.opened()
        (socket,) = served._server.eio.sockets.values()
        by = socket.session._connect_by
        await ws.send_str("40{}")
        assert (await text(ws)).startswith("44")
        assert socket.session._timer.when() == by
        socket.session._connect_by = 0.0
        await ws.send_str("40{}")  # refused when the time is over
        assert (await text(ws)).startswith("44")
        assert await closed(ws) == (1000, "connect timeout")


async def test_session_ready_comes_first_and_what_was_emitted_meanwhile_follows_in_order() -> None:
    async with gateway() as (served, peer, desk):

        def emit(who: Identity) -> None:
            for number in range(3):
                served.emit([who.connection], "early", {"n": number})

        desk.opening = emit
        ws, first = await peer.joined({"token": "ann", "cursor": "c7"})
        name, data = event_of(first)
        assert name == "session:ready"
        assert (data["user"], data["cursor"]) == ("ann", "c7")
        later = [event_of(await text(ws)) for _ in range(3)]
        assert later == [("early", {"n": number}) for number in range(3)]
        await ws.close()


async def test_requests_sent_before_the_connect_was_accepted_follow_it() -> None:
    async with gateway() as (_, peer, desk):
        ws = await peer.opened()
        await ws.send_str('40{"token":"ann"}')
        await ws.send_str('421["x",{"a":1}]')
        assert (await text(ws)).startswith("40")
        assert event_of(await text(ws))[0] == "session:ready"
        assert await text(ws) == '431[{"ok":true,"echo":{"a":1}}]'
        assert [event for event, _ in desk.seen] == ["opened", "x"]
        await ws.close()


async def test_remote_says_where_a_connection_comes_from() -> None:
    async with gateway() as (_, peer, desk):
        headers = {"Origin": "https://page.example", "User-Agent": "tester"}
        params = {"EIO": "4", "transport": "websocket"}
        ws = await peer.session.ws_connect(peer.url, params=params, headers=headers)
        await text(ws)
        await ws.send_str('40{"token":"ann"}')
        sid = json.loads((await text(ws))[2:])["sid"]
        (remote,) = desk.remotes
        assert (remote.connection, remote.address) == (sid, "127.0.0.1")
        assert (remote.origin, remote.user_agent) == ("https://page.example", "tester")
        await ws.close()


async def test_acks() -> None:
    async with gateway() as (_, peer, _desk):
        ws, _ = await peer.joined({"token": "ann"})
        assert await call(ws, "x", {"a": 1}) == {"ok": True, "echo": {"a": 1}}
        assert await call(ws, "refuse", {}) == {
            "ok": False,
            "error": {
                "code": "forbidden",
                "message": "no",
                "retryable": False,
                "retry_after_ms": 7,
            },
        }
        await ws.close()


async def test_a_bug_in_a_request_is_internal_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with gateway() as (served, peer, _desk):
        ws, _ = await peer.joined({"token": "ann"})
        answers = [await call(ws, "break", {}) for _ in range(20)]
        assert {answer["error"]["code"] for answer in answers} == {"internal"}
        assert (await call(ws, "x", {}))["ok"] is True
        assert served.stats()["internal_errors_total"] == 20
        await ws.close()
    (record,) = caplog.records
    assert answers[0]["error"]["message"].split()[-1] in record.getMessage()


async def test_a_request_has_a_timeout() -> None:
    desk = Desk()
    desk.gate("never")
    async with gateway(config(request_timeout_ms=50), desk) as (_, peer, _desk):
        ws, _ = await peer.joined({"token": "ann"})
        answer = await call(ws, "wait", {"gate": "never"})
        assert answer["error"]["code"] == "timeout"
        assert answer["error"]["retryable"] is True
        await ws.close()


@pytest.mark.parametrize("packet", ['421["x",1,2]', "421[7]"])
async def test_an_event_takes_a_name_and_one_payload(packet: str) -> None:
    async with gateway() as (_, peer, _desk):
        ws, _ = await peer.joined({"token": "ann"})
        await ws.send_str(packet)
        answer = json.loads((await text(ws))[3:])[0]
        assert answer["error"]["code"] == "bad_request"
        await ws.close()


async def test_bytes_are_not_json() -> None:
    async with gateway() as (_, peer, _desk):
        ws, _ = await peer.joined({"token": "ann"})
        await ws.send_str('451-1["x",{"a":{"_placeholder":true,"num":0}}]')
        await ws.send_bytes(b"\x00")
        answer = json.loads((await text(ws))[3:])[0]
        assert answer["error"]["code"] == "bad_request"
        await ws.close()


async def test_a_request_without_ack_is_carried_out_silently() -> None:
    async with gateway() as (_, peer, desk):
        ws, _ = await peer.joined({"token": "ann"})
        await ws.send_str('42["refuse",{}]')
        await ws.send_str('42["quiet"]')
        assert (await call(ws, "x", {}))["ok"] is True
        assert desk.seen[1:3] == [("refuse", {}), ("quiet", {})]
        await ws.close()


async def test_invariant_11_events_of_one_connection_are_handled_in_order() -> None:
    desk = Desk()
    gate = desk.gate("slow")
    async with gateway(None, desk) as (_, peer, _desk):
        ann, _ = await peer.joined({"token": "ann"})
        bob, _ = await peer.joined({"token": "bob"})
        await ann.send_str('421["wait",{"gate":"slow"}]')
        await ann.send_str('422["after",{}]')
        await asyncio.wait_for(desk.entered["slow"].wait(), PATIENCE_S)
        assert (await call(bob, "meanwhile", {}))["ok"] is True
        assert [event for event, _ in desk.seen[2:]] == ["wait", "meanwhile"]
        gate.set()
        assert [(await text(ann))[:3] for _ in range(2)] == ["431", "432"]
        assert desk.seen[-1][0] == "after"
        await ann.close()
        await bob.close()


async def test_requests_that_wait_are_bounded_and_none_is_lost() -> None:
    desk = Desk()
    gate = desk.gate("slow")
    async with gateway(config(max_pending_requests=4), desk) as (served, peer, _desk):
        ws, first = await peer.joined({"token": "ann"})
        inbox = served._connections[event_of(first)[1]["connection"]]._inbox
        await ws.send_str('420["wait",{"gate":"slow"}]')
        await asyncio.wait_for(desk.entered["slow"].wait(), PATIENCE_S)
        body = "y" * 50_000

        async def send_all() -> None:
            for number in range(1, 41):
                await ws.send_str(f'42{number}["x","{body}"]')

        sending = asyncio.create_task(send_all())  # how much the kernel takes is its affair
        (socket,) = served._server.eio.sockets.values()
        await until(lambda: socket.heartbeat._paused)
        await asyncio.sleep(0.2)  # for what should not come
        one_read = 256 * 1024 // len(body) + 1
        assert 4 <= len(inbox) <= 4 + one_read
        gate.set()
        answers = [await text(ws) for _ in range(41)]
        await sending
        assert [answer.split("[")[0] for answer in answers] == [f"43{n}" for n in range(41)]
        await ws.close()


async def test_polling_requests_are_answered_in_order_too() -> None:
    desk = Desk()
    async with gateway(config(max_pending_requests=4), desk) as (_, peer, _desk):
        sid = await peer.open_polling()
        await peer.post(sid, '40{"token":"ann"}')
        sent = "\x1e".join(f'42{number}["x",{{}}]' for number in range(20))
        poll = asyncio.create_task(peer.get(sid))
        assert await peer.post(sid, sent) == (200, "ok")
        received = (await poll)[1].split("\x1e")
        while len(received) < 22:
            received += (await peer.get(sid))[1].split("\x1e")
        assert [m.split("[")[0] for m in received[2:]] == [f"43{n}" for n in range(20)]
        await peer.post(sid, "1")


async def test_the_node_hears_of_the_end_after_what_was_asked_before() -> None:
    desk = Desk()
    gate = desk.gate("slow")
    async with gateway(None, desk) as (served, peer, _desk):
        ws, _ = await peer.joined({"token": "ann"})
        await ws.send_str('42["wait",{"gate":"slow"}]')
        await ws.send_str('42["last words",{}]')
        await asyncio.wait_for(desk.entered["slow"].wait(), PATIENCE_S)
        await ws.close()
        gate.set()
        _, reason = await asyncio.wait_for(desk.closings.get(), PATIENCE_S)
        assert reason == "transport close"
        assert desk.seen[-1][0] == "last words"
        assert served.stats()["connections"] == 0


async def test_the_node_hears_of_the_end_of_all_it_let_in_opened_or_not() -> None:
    desk = Desk()
    gate = desk.gate("authenticate")
    async with gateway(config(max_connections_per_user=1), desk) as (_, peer, _desk):
        gone = await peer.opened()
        await gone.send_str('40{"token":"ann"}')
        await asyncio.wait_for(desk.entered["authenticate"].wait(), PATIENCE_S)
        await gone.close()
        gate.set()
        left, reason = await asyncio.wait_for(desk.closings.get(), PATIENCE_S)
        assert (left, reason) == (desk.remotes[0].connection, "transport close")
        ws, _ = await peer.joined({"token": "ann"})
        second = await peer.opened()
        await second.send_str('40{"token":"ann"}')
        assert (await text(second)).startswith("44")
        assert await asyncio.wait_for(desk.closings.get(), PATIENCE_S) == (
            desk.remotes[2].connection,
            "rate_limited",
        )
        assert [event for event, _ in desk.seen] == ["opened"]
        await ws.close()
        await second.close()


async def test_closing_from_this_side_tells_the_client_not_to_come_back() -> None:
    async with gateway() as (served, peer, desk):
        ws, first = await peer.joined({"token": "ann"})
        served.close(event_of(first)[1]["connection"], "revoked")
        assert await text(ws) == "41"
        assert await closed(ws) == (1000, "revoked")
        assert (await asyncio.wait_for(desk.closings.get(), PATIENCE_S))[1] == "revoked"
        served.close("nobody", "revoked")


async def test_connections_of_one_user_are_counted() -> None:
    async with gateway(config(max_connections_per_user=1)) as (_, peer, desk):
        first, _ = await peer.joined({"token": "ann"})
        second = await peer.opened()
        await second.send_str('40{"token":"ann"}')
        assert json.loads((await text(second))[2:])["data"]["code"] == "rate_limited"
        await first.close()
        left = [await asyncio.wait_for(desk.closings.get(), PATIENCE_S) for _ in range(2)]
        assert [reason for _, reason in left] == ["rate_limited", "transport close"]
        await second.send_str('40{"token":"ann"}')
        assert (await text(second)).startswith("40")
        await second.close()


async def test_emit_reaches_each_transport_and_passes_over_strangers() -> None:
    async with gateway() as (served, peer, _desk):
        ws, first = await peer.joined({"token": "ann"})
        sid = await peer.open_polling()
        await peer.post(sid, '40{"token":"bob"}')
        messages: list[str] = []
        while len(messages) < 2:
            messages += (await peer.get(sid))[1].split("\x1e")
        bob = event_of(messages[1])[1]["connection"]
        served.emit(["stranger", event_of(first)[1]["connection"], bob], "hello", {"中": "文"})
        assert await text(ws) == '42["hello",{"中":"文"}]'
        assert (await peer.get(sid))[1] == '42["hello",{"中":"文"}]'
        await ws.close()
        await peer.post(sid, "1")


async def test_an_event_is_encoded_once_for_all_and_makes_no_task() -> None:
    async with gateway() as (served, peer, _desk):
        joined = [await peer.joined({"token": f"u{n}"}) for n in range(20)]
        names = [event_of(first)[1]["connection"] for _, first in joined]
        tasks = len(asyncio.all_tasks())
        served.emit(names, "hello", {"n": 1})
        assert len(asyncio.all_tasks()) == tasks
        written = [link.pending for link in served._server.eio.links._open]
        assert None not in written
        assert len({id(frame) for frame in written}) == 1
        for ws, _ in joined:
            assert await text(ws) == '42["hello",{"n":1}]'
            await ws.close()


async def test_invariant_13_nothing_is_left_when_the_gateway_is_closed() -> None:
    async with gateway() as (served, peer, desk):
        ws, _ = await peer.joined({"token": "ann"})
        sid = await peer.open_polling()
        other = await peer.opened()
        closing = asyncio.create_task(served.aclose())
        assert await closed(ws) == (1000, "server:drain")
        await closed(other)
        await closing
        assert (await peer.get(sid))[0] == 400
        assert (await asyncio.wait_for(desk.closings.get(), PATIENCE_S))[1] == "server:drain"
        stats = served.stats()
        assert (stats["connections"], stats["sockets"]) == (0, 0)
