"""A regression test for each published advisory of this family that applies to this server.

Looked through: socket.io, socket.io-parser, engine.io, ws (what they stand on), python-socketio and
python-engineio. Each test names the advisories it is for. Those without a test do not apply:

- CVE-2016-10536 (engine.io-client): certificates unchecked by a client; this is no client.
- CVE-2016-10518, CVE-2026-45736 (ws): uninitialised memory in a PONG or close reason made from a
  number or a typed array; bytes of Python are never uninitialised.
- CVE-2024-47764 (cookie, for engine.io): header injection by cookie names; no cookie is ever set.
- CVE-2025-61765 (python-socketio): pickles from a message queue; none of its queues is used.
- WebTransport fixes of engine.io 6.6.7 and 6.6.8: WebTransport is not offered.
"""

import asyncio
import inspect
import socket
import struct

import aiohttp
import engineio
import pytest

from signaling.gateway import link
from signaling.gateway.conformance import CONFIG, make_app
from tests.signaling.gateway.peers import (
    PATIENCE_S,
    UNHURRIED,
    alive,
    call,
    closed,
    config,
    gateway,
    raw,
    serving,
    until_closed,
)


async def test_cve_2020_36048_a_huge_post_is_refused_before_it_is_stored() -> None:
    async with serving(make_app(UNHURRIED), "/engine.io/") as peer:
        sid = await peer.open_polling()
        assert (await peer.post(sid, b"4" + b"x" * CONFIG.max_packet_bytes))[0] == 400
        assert (await peer.get(sid))[0] == 400


async def test_cve_2020_36049_cve_2016_10542_a_huge_packet_ends_its_socket(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # All of it is read before the connection is closed, or the kernel would reset it.
    monkeypatch.setattr(link, "BROKEN_S", PATIENCE_S)
    async with gateway() as (_, peer, _desk):
        ws, _ = await peer.joined({"token": "ann"})
        await ws.send_str('42["x","' + "y" * 1_000_001 + '"]')
        assert (await closed(ws))[0] == 1009
        await alive(peer)


@pytest.mark.parametrize("count", ["11", "999999999", "9999999999"])
async def test_cve_2026_33151_attachments_are_counted(count: str) -> None:
    async with gateway() as (_, peer, _desk):
        ws, _ = await peer.joined({"token": "ann"})
        await ws.send_str(f"45{count}-[1]")
        assert await closed(ws) == (1008, "parse error")


@pytest.mark.parametrize("packet", ['450-["x"]', "460-1[]", '450-1["x",{}]'])
async def test_cve_2026_69185_a_binary_packet_has_attachments(packet: str) -> None:
    async with gateway() as (_, peer, desk):
        ws, _ = await peer.joined({"token": "ann"})
        await ws.send_str(packet)
        assert await closed(ws) == (1008, "parse error")
        assert [event for event, _ in desk.seen] == ["opened"]


@pytest.mark.parametrize("transport", ["polling", "websocket"])
@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
async def test_cve_2020_28481_cve_2019_13611_foreign_pages_are_kept_out(
    transport: str, origin: str
) -> None:
    async with gateway(config(origins=())) as (_, peer, _desk):
        params = {"EIO": "4", "transport": transport}
        headers = {"Origin": origin}
        if transport == "websocket":
            with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
                await peer.session.ws_connect(peer.url, params=params, headers=headers)
            assert refusal.value.status == 403
            return
        async with peer.session.get(peer.url, params=params, headers=headers) as response:
            assert response.status == 403
            assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize(
    "packet",
    [
        '42[{"toString":"foo"}]',
        '42[{"__proto__":1}]',
        '42[["x"]]',
        '2["x"]',
        '451-[{"_placeholder":true,"num":0}]',
    ],
)
async def test_cve_2023_32695_cve_2022_2421_event_names_are_names(packet: str) -> None:
    async with gateway() as (_, peer, desk):
        ws, _ = await peer.joined({"token": "ann"})
        await ws.send_str(packet)
        assert await closed(ws) == (1008, "parse error")
        assert [event for event, _ in desk.seen] == ["opened"]
        await alive(peer)


async def test_cve_2024_38355_an_event_called_error_is_an_event() -> None:
    async with gateway() as (_, peer, _desk):
        ws, _ = await peer.joined({"token": "ann"})
        assert (await call(ws, "error", {"a": 1}))["ok"] is True
        await ws.close()


@pytest.mark.parametrize("transport", ["__proto__", "constructor", "toString", "websocket,polling"])
async def test_cve_2023_31125_a_transport_by_an_odd_name(transport: str) -> None:
    async with gateway() as (_, peer, _desk):
        assert (await peer.get(transport=transport))[0] == 400
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await peer.websocket(transport=transport)
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await peer.websocket(sid="__proto__")
        await alive(peer)


async def test_cve_2022_41940_a_reset_during_the_handshake_hurts_nobody() -> None:
    async with gateway() as (_, peer, _desk):
        for _ in range(5):
            connection = await raw(peer)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
        sid = await peer.open_polling()
        ws = await peer.websocket(sid)
        assert ws._response.connection is not None
        transport = ws._response.connection.transport
        assert transport is not None
        transport.abort()
        await alive(peer)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\xf1\x80aaaa", 1002),
        (b"\xb1\x80aaaa", 1002),
        (b"\x81\x05hello", 1002),
        (b"\x83\x80aaaa", 1002),
        (b"\x80\x80aaaa", 1002),
        (b"\x89\xfe\x00\x7eaaaa", 1002),
        (b"\x09\x80aaaa", 1002),
        (b"\x8f\x80aaaa", 1002),
        (b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xffaaaa", 1009),
        (b"\x01\x80aaaa\x01\x80aaaa", 1002),
    ],
)
async def test_cve_2022_21676_invalid_frames_end_their_socket(frame: bytes, code: int) -> None:
    async with gateway() as (_, peer, _desk):
        connection = await raw(peer, early=frame)
        received = await until_closed(connection)
        connection.close()
        assert b"\x88" in received
        assert code.to_bytes(2, "big") in received[received.index(b"\x88") :]
        await alive(peer)


async def test_cve_2021_32640_a_long_subprotocol_header_costs_nothing() -> None:
    async with gateway() as (_, peer, _desk):
        header = "Sec-WebSocket-Protocol: a" + " " * 4000 + "x\r\n"
        connection = await raw(peer, headers=header)
        loop = asyncio.get_running_loop()
        reply = await asyncio.wait_for(loop.sock_recv(connection, 4096), PATIENCE_S)
        connection.close()
        assert b"101" in reply.split(b"\r\n")[0]


async def test_cve_2026_48802_a_flood_of_pongs_makes_no_tasks_and_ends_the_socket() -> None:
    async with gateway() as (_, peer, _desk):
        ws, _ = await peer.joined({"token": "ann"})
        before = len(asyncio.all_tasks())
        for _ in range(16):
            await ws.send_str("3")
        assert (await call(ws, "x", {}))["ok"] is True
        assert len(asyncio.all_tasks()) <= before
        await ws.send_str("3")
        assert await closed(ws) == (1008, "parse error")


async def test_cve_2026_48779_a_flood_of_tiny_fragments_ends_the_socket() -> None:
    async with gateway() as (_, peer, _desk):
        fragments = b"\x01\x81aaaaU" + b"\x00\x80aaaa" * 1024
        connection = await raw(peer, early=fragments)
        received = await until_closed(connection)
        connection.close()
        assert (1008).to_bytes(2, "big") in received


async def test_cve_2026_48779_tiny_chunks_of_a_frame_hold_no_more_than_the_frame() -> None:
    async with gateway() as (served, peer, _desk):
        connection = await raw(peer)
        loop = asyncio.get_running_loop()
        await asyncio.wait_for(loop.sock_recv(connection, 4096), PATIENCE_S)
        (link,) = served._server.eio.links._open
        for byte in b"\x81\xfe\xff\xffaaaa" + b"x" * 500:
            link.data_received(bytes((byte,)))
        assert len(link._reader._rest) == 508
        connection.close()


async def test_cve_2026_48809_a_frame_too_big_is_refused_by_its_header() -> None:
    async with gateway() as (_, peer, _desk):
        announced = b"\x82\xff" + (1_000_001).to_bytes(8, "big") + b"aaaa"
        received = await until_closed(connection := await raw(peer, early=announced))
        connection.close()
        assert (1009).to_bytes(2, "big") in received
        await alive(peer)


@pytest.mark.parametrize(
    "packet", ['451-["x",{"_placeholder":true,"num":0}]', '451-/admin,["x"]', '42["x"]']
)
async def test_cve_2026_48804_nothing_is_kept_of_who_has_not_connected(packet: str) -> None:
    async with gateway() as (_, peer, desk):
        ws = await peer.opened()
        await ws.send_str(packet)  # no attachment is waited for
        assert await closed(ws) == (1008, "parse error")
        assert desk.seen == []


async def test_cve_2026_59725_a_binary_post_is_answered() -> None:
    async with serving(make_app(UNHURRIED), "/engine.io/") as peer:
        sid = await peer.open_polling()
        headers = {"Content-Type": "application/octet-stream"}
        for body, status in ((b"4x", 200), (b"\x04\x00\xff", 400)):
            assert (await peer.request("POST", sid, body, headers))[0] == status
        assert (await peer.get(sid))[0] == 400


@pytest.mark.parametrize(
    "header", ["constructor", "__proto__", "a;constructor", "permessage-deflate; x=y", ";" * 4000]
)
async def test_ghsa_5v72_xg48_5rpm_extensions_are_not_even_parsed(header: str) -> None:
    async with gateway() as (_, peer, _desk):
        connection = await raw(peer, headers=f"Sec-WebSocket-Extensions: {header}\r\n")
        reply = await asyncio.wait_for(
            asyncio.get_running_loop().sock_recv(connection, 4096), PATIENCE_S
        )
        connection.close()
        assert reply.startswith(b"HTTP/1.1 101 ")
        assert b"Extensions" not in reply


async def test_cve_2024_37890_many_headers_hurt_nobody() -> None:
    async with gateway() as (_, peer, _desk):
        connection = await raw(peer, headers="".join(f"x{n}: y\r\n" for n in range(2000)))
        loop = asyncio.get_running_loop()
        assert await asyncio.wait_for(loop.sock_recv(connection, 4096), PATIENCE_S)
        connection.close()
        await alive(peer)


async def test_cve_2017_16031_ids_cannot_be_guessed() -> None:
    assert "secrets.token_bytes(12)" in inspect.getsource(engineio.AsyncServer.generate_id)
    async with gateway() as (_, peer, _desk):
        sids = {await peer.open_polling() for _ in range(50)}
        assert {len(sid) for sid in sids} == {20}
        assert len({sid[:12] for sid in sids}) == 50
        for sid in sids:
            await peer.post(sid, "1")
