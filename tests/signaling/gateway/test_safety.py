"""Safety of the edge beyond what advisories were written about: bad input, floods, origins."""

import asyncio
import json

import pytest
from aiohttp import web
from aiohttp.typedefs import Handler

from signaling.gateway import Gateway
from signaling.gateway.conformance import make_app
from tests.signaling.gateway.peers import (
    PATIENCE_S,
    UNHURRIED,
    Desk,
    alive,
    call,
    closed,
    config,
    gateway,
    raw,
    serving,
    text,
    until_closed,
)


async def test_a_packet_huge_by_its_attachments_ends_its_socket() -> None:
    async with gateway() as (_, peer, _desk):
        ws, _ = await peer.joined({"token": "ann"})
        await ws.send_str('452-["x",{"_placeholder":true,"num":0}]')
        await ws.send_bytes(bytes(600_000))
        await ws.send_bytes(bytes(600_000))
        assert (await closed(ws)) == (1008, "parse error")


async def test_the_own_page_and_clients_without_a_page_may_come() -> None:
    async with gateway(config(origins=())) as (_, peer, _desk):
        assert (await peer.request("GET", None, headers={"Origin": peer.base}))[0] == 200
        assert (await peer.get())[0] == 200


async def test_origins_are_allowed_by_pattern() -> None:
    async with gateway(config(origins=("https://*.page.example",))) as (_, peer, _desk):
        for origin, status in (
            ("https://a.page.example", 200),
            ("HTTPS://A.PAGE.EXAMPLE", 200),
            ("http://a.page.example", 403),
            ("https://page.example.evil", 403),
        ):
            assert (await peer.request("GET", None, headers={"Origin": origin}))[0] == status


@pytest.mark.parametrize(
    "name",
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"],
)
async def test_reserved_names_end_the_socket_and_run_nothing(name: str) -> None:
    async with gateway() as (_, peer, desk):
        ws, _ = await peer.joined({"token": "ann"})
        await ws.send_str("42" + json.dumps([name, {"REMOTE_ADDR": "forged"}, {"token": "bob"}]))
        assert await closed(ws) == (1008, "parse error")
        assert len(desk.remotes) == 1
        assert name not in [event for event, _ in desk.seen]


async def test_jsonp_is_gone() -> None:
    async with gateway() as (_, peer, _desk):
        assert (await peer.get(j='0");alert(1)//'))[0] == 400


async def test_polling_packets_are_counted() -> None:
    async with serving(make_app(UNHURRIED), "/engine.io/") as peer:
        sid = await peer.open_polling()
        assert (await peer.post(sid, "\x1e".join(["4x"] * 257)))[0] == 400


DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    "body",
    [
        f'["x",{DEEP}]',
        '["x",' + "[" * 32 + "]" * 32 + "]",
        '["x",' + '{"a":' * 32 + "1" + "}" * 32 + "]",
        '["x",NaN]',
        '["x",Infinity]',
        '["x",{"a":-Infinity}]',
        '["x",1e400]',
        '["x",' + "9" * 5000 + "]",
    ],
    ids=["deep", "33 arrays", "33 objects", "NaN", "inf", "-inf", "1e400", "long number"],
)
async def test_what_no_client_could_read_ends_the_socket(
    body: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with gateway() as (_, peer, desk):
        ws, _ = await peer.joined({"token": "ann"})
        await ws.send_str("42" + body)
        assert await closed(ws) == (1008, "parse error")
        assert [event for event, _ in desk.seen] == ["opened"]
    assert len(caplog.records) == 1
    assert caplog.records[0].exc_info is None


async def test_brackets_in_a_text_are_no_depth() -> None:
    async with gateway() as (_, peer, _desk):
        ws, _ = await peer.joined({"token": "ann"})
        text_of_brackets = "[{" * 500 + '"\\'
        assert (await call(ws, "x", text_of_brackets))["echo"] == text_of_brackets
        await ws.close()


async def test_half_an_emoji_is_mended() -> None:
    async with gateway() as (_, peer, _desk):
        ws, _ = await peer.joined({"token": "ann"})
        await ws.send_str('421["x","a\\ud83d b\\ude00 \\ud83d\\ude00"]')
        answer = await text(ws)
        assert json.loads(answer[3:])[0]["echo"] == "a\ufffd b\ufffd \U0001f600"
        await ws.close()


async def test_malformed_packets_make_one_line_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    async with gateway() as (_, peer, _desk):
        for _ in range(20):
            ws, _first = await peer.joined({"token": "ann"})
            await ws.send_str("4abc")
            await closed(ws)
    assert len(caplog.records) == 1


async def test_connections_of_one_address_are_counted() -> None:
    async with gateway(config(max_connections_per_address=2)) as (_, peer, _desk):
        first = await peer.opened()
        sid = await peer.open_polling()
        assert (await peer.get())[0] == 429
        await first.close()
        await peer.post(sid, "1")
        await alive(peer)


@web.middleware
async def from_anywhere(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Behind a proxy that says who is calling."""
    return await handler(request.clone(remote=request.headers.get("X-From", request.remote)))


async def test_connections_of_one_ipv6_network_are_counted_together() -> None:
    app = web.Application(middlewares=[from_anywhere])
    served = Gateway(config(max_connections_per_address=2), Desk())
    served.attach(app)
    async with serving(app) as peer:
        for address, status in (
            ("2001:db8::1", 200),
            ("2001:db8::2", 200),
            ("2001:db8::3", 429),
            ("2001:db8:0:1::3", 200),
            ("::ffff:192.0.2.1", 200),
            ("192.0.2.1", 200),
            ("192.0.2.1", 429),
        ):
            assert (await peer.request("GET", None, headers={"X-From": address}))[0] == status
        await served.aclose()
        assert not served._server.eio.addresses


async def test_a_namespace_that_is_no_text_ends_the_socket() -> None:
    async with gateway() as (_, peer, _desk):
        connection = await raw(peer, early=frame(b"40/\xff,"))
        received = await until_closed(connection)
        connection.close()
        assert (1007).to_bytes(2, "big") in received
        assert b"\xff" not in received.split(b"maxPayload")[1].rsplit(b"\x88", 1)[0]


def frame(payload: bytes) -> bytes:
    """A client's text frame; its mask is zero."""
    return bytes((0x81, 0x80 | len(payload))) + bytes(4) + payload


async def test_a_flood_of_polls_waits_or_ends_the_session() -> None:
    async with gateway() as (_, peer, _desk):
        sid = await peer.open_polling()
        polls = [asyncio.create_task(peer.get(sid)) for _ in range(50)]
        statuses = [status for status, _ in await asyncio.gather(*polls)]
        assert statuses.count(200) <= 1
        assert (await peer.get(sid))[0] == 400


async def test_a_flood_of_pings_that_nobody_reads_is_bounded() -> None:
    async with gateway() as (served, peer, _desk):
        connection = await raw(peer)
        loop = asyncio.get_running_loop()
        await asyncio.wait_for(loop.sock_recv(connection, 4096), PATIENCE_S)
        (link,) = served._server.eio.links._open
        ping = bytes((0x89, 0x80 | 125)) + bytes(4) + bytes(125)
        for _ in range(100_000):
            link.data_received(ping)
            if link.queued_bytes >= 4096:
                break
        assert link.queued_bytes < 4096 + 127
        connection.close()


@pytest.mark.parametrize(
    "packet", ['42["x",[[1]]]', '452-["x"]', '42["x","' + "y" * 1000 + '"]'], ids=str.__len__
)
async def test_depth_attachments_and_size_are_settings(packet: str) -> None:
    tight = config(max_depth=2, max_attachments=1, max_packet_bytes=1000)
    async with gateway(tight) as (_, peer, _desk):
        ws, _ = await peer.joined({"token": "ann"})
        assert (await call(ws, "x", [1]))["ok"] is True
        await ws.send_str(packet)
        assert (await closed(ws))[0] in (1008, 1009)
