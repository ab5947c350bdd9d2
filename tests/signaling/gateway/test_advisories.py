"""One regression test for each published advisory of this family that could apply to a server.

socket.io, socket.io-parser, engine.io, ws, python-engineio, python-socketio.
"""

import asyncio
import json
import socket
import struct
from urllib.parse import urlsplit

import aiohttp
import pytest

from signaling.gateway import GatewayConfig
from signaling.gateway.conformance import CONFIG, make_app
from tests.signaling.gateway.peers import Peer, call, closed, gateway, serving, text


async def alive(peer: Peer) -> None:
    """The server still serves newcomers."""
    ws, first = await peer.joined({"token": "ann"})
    assert first.startswith("42")
    await ws.close()


async def test_cve_2020_36048_a_huge_post_is_refused_before_it_is_stored() -> None:
    async with serving(make_app(), "/engine.io/") as peer:
        sid = await peer.open_polling()
        assert (await peer.post(sid, b"4" + b"x" * CONFIG.max_packet_bytes))[0] == 400
        assert (await peer.get(sid))[0] == 400


async def test_cve_2020_36049_a_huge_packet_ends_its_socket() -> None:
    async with gateway() as (_, peer, _desk):
        ws, _ = await peer.joined({"token": "ann"})
        await ws.send_str('42["x","' + "y" * 1_000_001 + '"]')
        assert (await closed(ws))[0] == 1009
        await alive(peer)


async def test_a_packet_huge_by_its_attachments_ends_its_socket() -> None:
    async with gateway() as (_, peer, _desk):
        ws, _ = await peer.joined({"token": "ann"})
        await ws.send_str('452-["x",{"_placeholder":true,"num":0}]')
        await ws.send_bytes(bytes(600_000))
        await ws.send_bytes(bytes(600_000))
        assert (await closed(ws)) == (1008, "parse error")


@pytest.mark.parametrize("count", ["11", "999999999", "9999999999"])
async def test_cve_2026_33151_attachments_are_counted(count: str) -> None:
    async with gateway() as (_, peer, _desk):
        ws, _ = await peer.joined({"token": "ann"})
        await ws.send_str(f"45{count}-[1]")
        assert await closed(ws) == (1008, "parse error")


@pytest.mark.parametrize("transport", ["polling", "websocket"])
@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
async def test_cve_2020_28481_cve_2019_13611_foreign_pages_are_kept_out(
    transport: str, origin: str
) -> None:
    async with gateway(GatewayConfig()) as (_, peer, _desk):
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


async def test_the_own_page_and_clients_without_a_page_may_come() -> None:
    async with gateway(GatewayConfig()) as (_, peer, _desk):
        assert (await peer.request("GET", None, headers={"Origin": peer.base}))[0] == 200
        assert (await peer.get())[0] == 200


async def test_origins_are_allowed_by_pattern() -> None:
    config = GatewayConfig(origins=("https://*.page.example",))
    async with gateway(config) as (_, peer, _desk):
        for origin, status in (
            ("https://a.page.example", 200),
            ("HTTPS://A.PAGE.EXAMPLE", 200),
            ("http://a.page.example", 403),
            ("https://page.example.evil", 403),
        ):
            assert (await peer.request("GET", None, headers={"Origin": origin}))[0] == status


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


@pytest.mark.parametrize("transport", ["__proto__", "constructor", "toString", "websocket,polling"])
async def test_cve_2023_31125_a_transport_by_an_odd_name(transport: str) -> None:
    async with gateway() as (_, peer, _desk):
        assert (await peer.get(transport=transport))[0] == 400
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await peer.websocket(transport=transport)
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await peer.websocket(sid="__proto__")
        await alive(peer)


HANDSHAKE = (
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


async def raw(peer: Peer, *, early: bytes = b"", headers: str = "") -> socket.socket:
    """A TCP socket with a WebSocket handshake written to it."""
    address = urlsplit(peer.base)
    connection = socket.create_connection((address.hostname, address.port))
    connection.setblocking(False)
    request = HANDSHAKE + headers + "\r\n"
    await asyncio.get_running_loop().sock_sendall(connection, request.encode() + early)
    return connection


async def until_closed(connection: socket.socket) -> bytes:
    loop, received = asyncio.get_running_loop(), b""
    while chunk := await asyncio.wait_for(loop.sock_recv(connection, 65536), 10):
        received += chunk
    return received


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
        reply = await asyncio.wait_for(loop.sock_recv(connection, 4096), 10)
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


async def test_a_flood_of_tiny_fragments_ends_the_socket() -> None:
    async with gateway() as (_, peer, _desk):
        fragments = b"\x01\x81aaaaU" + b"\x00\x80aaaa" * 1024
        connection = await raw(peer, early=fragments)
        received = await until_closed(connection)
        connection.close()
        assert (1008).to_bytes(2, "big") in received


async def test_jsonp_is_gone() -> None:
    async with gateway() as (_, peer, _desk):
        assert (await peer.get(j='0");alert(1)//'))[0] == 400


async def test_polling_packets_are_counted() -> None:
    async with serving(make_app(), "/engine.io/") as peer:
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
    config = GatewayConfig(origins=("*",), max_connections_per_address=2)
    async with gateway(config) as (_, peer, _desk):
        first = await peer.opened()
        sid = await peer.open_polling()
        assert (await peer.get())[0] == 429
        await first.close()
        await peer.post(sid, "1")
        await alive(peer)
