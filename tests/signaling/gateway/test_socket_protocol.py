"""Socket.IO version 5, case by case."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest

from signaling.gateway.conformance import make_app
from tests.signaling.gateway.peers import PATIENCE_S, UNHURRIED, Peer, closed, serving, text, until


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    async with serving(make_app(UNHURRIED)) as peer:
        yield peer


async def any_message(ws: aiohttp.ClientWebSocketResponse) -> str | bytes:
    while True:
        message = await ws.receive(timeout=PATIENCE_S)
        if message.data != "2":
            return message.data


@pytest.mark.parametrize(
    ("connect", "answer", "event"),
    [
        ("40", "40", '42["auth",{}]'),
        ('40{"token":"123"}', "40", '42["auth",{"token":"123"}]'),
        ("40/,", "40", '42["auth",{}]'),
        ("40/custom,", "40/custom,", '42/custom,["auth",{}]'),
        ("40/custom", "40/custom,", '42/custom,["auth",{}]'),
        ('40/custom,{"token":"abc"}', "40/custom,", '42/custom,["auth",{"token":"abc"}]'),
        ("40/custom?a=b,", "40/custom,", '42/custom,["auth",{}]'),
    ],
)
async def test_connect_is_answered_first_and_then_the_events(
    peer: Peer, connect: str, answer: str, event: str
) -> None:
    ws = await peer.opened()
    await ws.send_str(connect)
    reply = await text(ws)
    assert reply.startswith(answer)
    assert set(json.loads(reply[len(answer) :])) == {"sid"}
    assert await text(ws) == event
    await ws.close()


@pytest.mark.parametrize("namespace", ["/random", "/random,", '/random,{"token":1}'])
async def test_an_unknown_namespace_is_refused(peer: Peer, namespace: str) -> None:
    ws = await peer.opened()
    await ws.send_str("40" + namespace)
    assert await text(ws) == '44/random,{"message":"Invalid namespace"}'
    await ws.close()


async def test_connecting_twice_ends_the_socket(peer: Peer) -> None:
    ws, _ = await peer.joined()
    await ws.send_str("40")
    assert await closed(ws) == (1008, "parse error")


async def test_an_invalid_handshake_ends_the_socket(peer: Peer) -> None:
    ws = await peer.opened()
    await ws.send_str("4abc")
    assert await closed(ws) == (1008, "parse error")


async def test_a_socket_that_never_connects_is_closed() -> None:
    brisk = replace(UNHURRIED, ping_interval_ms=20, connect_timeout_ms=200)
    async with serving(make_app(brisk)) as peer:
        ws = await peer.opened()

        async def beat() -> None:
            async for message in ws:
                if message.data == "2":
                    await ws.send_str("3")

        await asyncio.wait_for(beat(), PATIENCE_S)
        assert ws.close_code == 1000


async def test_disconnecting_leaves_the_socket_open() -> None:
    async with serving(make_app(UNHURRIED)) as peer:
        ws = await peer.websocket()
        socket = peer.socket(json.loads((await text(ws))[1:])["sid"])
        await ws.send_str("40")
        assert (await text(ws)).startswith('40{"sid"')
        assert await text(ws) == '42["auth",{}]'
        await ws.send_str("41")
        await until(lambda: not socket.session._connections)
        socket.heartbeat._beat()
        assert (await ws.receive(timeout=PATIENCE_S)).data == "2"
        await ws.send_str("40")
        assert (await text(ws)).startswith('40{"sid"')
        await ws.close()


@pytest.mark.parametrize("left", ["41/custom", "41/custom,"])
async def test_disconnecting_from_one_namespace_leaves_the_other(peer: Peer, left: str) -> None:
    ws, _ = await peer.joined()
    await ws.send_str("40/custom")
    assert (await text(ws)).startswith("40/custom,")
    assert await text(ws) == '42/custom,["auth",{}]'
    await ws.send_str(left)
    await ws.send_str('42["message","message to main namespace"]')
    assert await text(ws) == '42["message-back","message to main namespace"]'
    await ws.close()


async def test_a_namespace_can_be_joined_again(peer: Peer) -> None:
    ws, _ = await peer.joined()
    await ws.send_str("41")
    await ws.send_str("40")
    assert (await text(ws)).startswith('40{"sid"')
    await ws.close()


@pytest.mark.parametrize(
    ("sent", "received"),
    [
        ('42["message",1,"2",{"3":[true]}]', '42["message-back",1,"2",{"3":[true]}]'),
        ('42["message"]', '42["message-back"]'),
        ('42["message","你好 \U0001f600"]', '42["message-back","你好 \U0001f600"]'),
        ('42456["message-with-ack",1,"2",{"3":[false]}]', '43456[1,"2",{"3":[false]}]'),
        ('420["message-with-ack"]', "430[]"),
    ],
)
async def test_text_packets(peer: Peer, sent: str, received: str) -> None:
    ws, _ = await peer.joined()
    await ws.send_str(sent)
    assert await text(ws) == received
    await ws.close()


TWO = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}'


@pytest.mark.parametrize(
    ("sent", "received"),
    [
        (f'452-["message",{TWO}]', f'452-["message-back",{TWO}]'),
        (f'452-789["message-with-ack",{TWO}]', f"462-789[{TWO}]"),
    ],
    ids=["event", "ack"],
)
async def test_binary_packets(peer: Peer, sent: str, received: str) -> None:
    ws, _ = await peer.joined()
    await ws.send_str(sent)
    await ws.send_bytes(bytes((1, 2, 3)))
    await ws.send_bytes(bytes((4, 5, 6)))
    assert [await any_message(ws) for _ in range(3)] == [
        received,
        bytes((1, 2, 3)),
        bytes((4, 5, 6)),
    ]
    await ws.close()


async def test_binary_packets_over_polling(peer: Peer) -> None:
    sid = await peer.open_polling()
    assert (await peer.post(sid, "40"))[0] == 200
    came: list[str] = []
    while len(came) < 2:  # together, when the first poll is late
        came += (await peer.get(sid))[1].split("\x1e")
    assert came[0].startswith('40{"sid"')
    assert came[1] == '42["auth",{}]'
    body = f'452-["message",{TWO}]\x1ebAQID\x1ebBAUG'
    assert await peer.post(sid, body) == (200, "ok")
    assert (await peer.get(sid))[1] == f'452-["message-back",{TWO}]\x1ebAQID\x1ebBAUG'
    await peer.post(sid, "1")


@pytest.mark.parametrize(
    "sent",
    [
        "4abc",
        "4",
        "47",
        "42",
        "42{}",
        "42[]",
        "42[{}]",
        "42[null]",
        '42abc["message-with-ack",1]',
        '42["message"',
        '42["message"]x',
        "43[]",
        "431{}",
        '44{"message":"no"}',
        "41{}",
        "40[]",
        '42/custom,["message"]',
        '51-["message"]\x00',
        '45["message"]',
        '421-["message"]',
    ],
)
async def test_a_malformed_packet_ends_the_socket(peer: Peer, sent: str) -> None:
    ws, _ = await peer.joined()
    await ws.send_str(sent)
    assert await closed(ws) == (1008, "parse error")


async def test_text_inside_a_binary_packet_ends_the_socket(peer: Peer) -> None:
    ws, _ = await peer.joined()
    await ws.send_str('451-["message",{"_placeholder":true,"num":0}]')
    await ws.send_str('42["message"]')
    assert await closed(ws) == (1008, "parse error")


async def test_binary_out_of_the_blue_ends_the_socket(peer: Peer) -> None:
    ws, _ = await peer.joined()
    await ws.send_bytes(b"\x01")
    assert await closed(ws) == (1008, "parse error")


@pytest.mark.parametrize("number", ["1", "-1", '"0"', "null", "0.0", "true", "[]"])
async def test_a_placeholder_of_no_attachment_ends_the_socket(peer: Peer, number: str) -> None:
    ws, _ = await peer.joined()
    await ws.send_str(f'451-["message",{{"_placeholder":true,"num":{number}}}]')
    await ws.send_bytes(b"\x01")
    assert await closed(ws) == (1008, "parse error")
