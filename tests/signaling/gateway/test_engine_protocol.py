"""Engine.IO version 4, case by case, on polling and WebSocket."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest

from signaling.gateway.conformance import make_app
from tests.signaling.gateway.peers import PATIENCE_S, UNHURRIED, Peer, closed, serving, text, until

KEYS = {"sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"}


@pytest.fixture(params=["/engine.io/", "/socket.io/"])
def path(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def any_peer(path: str) -> AsyncIterator[Peer]:
    async with serving(make_app(UNHURRIED), path) as peer:
        yield peer


@pytest.fixture
async def suite_peer(path: str) -> AsyncIterator[Peer]:
    """With the times that the protocol's own suite expects."""
    async with serving(make_app(), path) as peer:
        yield peer


@pytest.fixture
async def brisk_peer(path: str) -> AsyncIterator[Peer]:
    """PINGs come soon, and PONGs have their time."""
    async with serving(make_app(replace(UNHURRIED, ping_interval_ms=50)), path) as peer:
        yield peer


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    async with serving(make_app(UNHURRIED), "/engine.io/") as peer:
        yield peer


def check_handshake(message: str, upgrades: list[str]) -> None:
    assert message[0] == "0"
    value = json.loads(message[1:])
    assert set(value) == KEYS
    assert isinstance(value["sid"], str)
    assert value["upgrades"] == upgrades
    assert (value["pingInterval"], value["pingTimeout"]) == (300, 200)
    assert value["maxPayload"] == 1_000_000


async def test_polling_opens_a_session(suite_peer: Peer) -> None:
    status, body = await suite_peer.get()
    assert status == 200
    check_handshake(body, ["websocket"])


async def test_websocket_opens_a_session(suite_peer: Peer) -> None:
    ws = await suite_peer.websocket()
    check_handshake(await text(ws), [])
    await ws.close()


@pytest.mark.parametrize("version", ["", "abc", "3"])
async def test_a_wrong_version_is_refused(any_peer: Peer, version: str) -> None:
    assert await any_peer.get(EIO=version) == (
        400,
        '{"code": 5, "message": "Unsupported protocol version"}',
    )
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await any_peer.websocket(EIO=version)


@pytest.mark.parametrize("transport", ["", "abc"])
async def test_a_wrong_transport_is_refused(any_peer: Peer, transport: str) -> None:
    assert (await any_peer.get(transport=transport))[0] == 400
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await any_peer.websocket(transport=transport)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_a_handshake_is_a_get(any_peer: Peer, method: str) -> None:
    status, body = await any_peer.request(method, None)
    assert status == 400
    assert json.loads(body)["code"] == 2


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_a_session_knows_get_and_post_only(peer: Peer, method: str) -> None:
    sid = await peer.open_polling()
    assert (await peer.request(method, sid))[0] == 400


async def test_an_unknown_sid_is_refused(any_peer: Peer) -> None:
    assert (await any_peer.get("nobody")) == (400, '{"code": 1, "message": "Session ID unknown"}')
    assert (await any_peer.post("nobody", "4x"))[0] == 400


async def test_a_websocket_transport_needs_a_websocket(any_peer: Peer) -> None:
    assert (await any_peer.get(transport="websocket"))[0] == 400


@pytest.mark.parametrize(
    "payload",
    ["4hello", "4test1\x1e4test2\x1e4test3", "4hello\x1ebAQIDBA=="],
    ids=["one text", "several texts", "text and binary"],
)
async def test_polling_carries_payloads_both_ways(peer: Peer, payload: str) -> None:
    sid = await peer.open_polling()
    assert await peer.post(sid, payload) == (200, "ok")
    assert await peer.get(sid) == (200, payload)


@pytest.mark.parametrize("body", ["abc", "", "4x\x1e", "b!!!", "0", "2", "5", "6", "7", "b4x"])
async def test_polling_ends_on_a_malformed_packet(peer: Peer, body: str) -> None:
    sid = await peer.open_polling()
    assert (await peer.post(sid, body))[0] == 400
    assert (await peer.get(sid))[0] == 400


async def test_two_polls_at_once_end_the_session(peer: Peer) -> None:
    sid = await peer.open_polling()
    first = await peer.polling(sid)
    assert (await peer.get(sid))[0] == 400
    assert await first == (200, "1")
    assert (await peer.get(sid))[0] == 400


async def test_two_posts_at_once_end_the_session(peer: Peer) -> None:
    sid = await peer.open_polling()
    held = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"4a"
        await asyncio.wait_for(held.wait(), PATIENCE_S)
        yield b"b"

    params = {"EIO": "4", "transport": "polling", "sid": sid}
    first = asyncio.create_task(peer.session.post(peer.url, params=params, data=slow()))
    socket = peer.socket(sid)
    await until(lambda: socket.posting)
    assert (await peer.post(sid, "4x"))[0] == 400
    held.set()
    (await first).close()
    assert (await peer.get(sid))[0] == 400


async def test_websocket_carries_text_and_binary_both_ways(peer: Peer) -> None:
    ws = await peer.opened()
    await ws.send_str("4hello")
    assert await text(ws) == "4hello"
    await ws.send_bytes(bytes((1, 2, 3, 4)))
    assert (await ws.receive(timeout=PATIENCE_S)).data == bytes((1, 2, 3, 4))
    await ws.close()


@pytest.mark.parametrize("message", ["abc", "", "0", "2", "2probe", "5", "6", "7", "33"])
async def test_websocket_ends_on_a_malformed_packet(peer: Peer, message: str) -> None:
    ws = await peer.opened()
    await ws.send_str(message)
    assert await closed(ws) == (1008, "parse error")


async def test_polling_beats(brisk_peer: Peer) -> None:
    sid = await brisk_peer.open_polling()
    for _ in range(3):
        assert await brisk_peer.get(sid) == (200, "2")
        assert (await brisk_peer.post(sid, "3"))[0] == 200


async def test_websocket_beats(brisk_peer: Peer) -> None:
    ws = await brisk_peer.opened()
    for _ in range(3):
        assert (await ws.receive(timeout=PATIENCE_S)).data == "2"
        await ws.send_str("3")
    await ws.close()


async def test_polling_ends_without_pong(any_peer: Peer) -> None:
    sid = await any_peer.open_polling()
    beat = any_peer.socket(sid).heartbeat
    beat._beat()
    assert await any_peer.get(sid) == (200, "2")
    poll = await any_peer.polling(sid)
    beat._overdue()
    assert await poll == (200, "1")
    assert (await any_peer.get(sid))[0] == 400


async def test_websocket_ends_without_pong() -> None:
    async with serving(make_app(), "/engine.io/") as peer:
        ws = await peer.opened()
        assert await closed(ws) == (1000, "ping timeout")


async def test_polling_client_closes(any_peer: Peer) -> None:
    sid = await any_peer.open_polling()
    poll = await any_peer.polling(sid)
    assert (await any_peer.post(sid, "1"))[0] == 200
    assert await poll == (200, "6")
    assert (await any_peer.get(sid))[0] == 400


async def test_websocket_client_closes(any_peer: Peer) -> None:
    ws = await any_peer.opened()
    await ws.send_str("1")
    assert (await closed(ws))[0] == 1000


async def test_polling_upgrades_to_websocket(peer: Peer) -> None:
    sid = await peer.open_polling()
    ws = await peer.websocket(sid)
    await ws.send_str("2probe")
    assert await text(ws) == "3probe"
    assert await peer.get(sid) == (200, "6")
    await ws.send_str("5")
    await ws.send_str("4hello")
    assert await text(ws) == "4hello"
    await ws.close()


async def test_a_waiting_poll_ends_with_one_noop_and_the_websocket_gets_none(peer: Peer) -> None:
    sid = await peer.open_polling()
    poll = await peer.polling(sid)
    ws = await peer.websocket(sid)
    await ws.send_str("2probe")
    assert await text(ws) == "3probe"
    assert await poll == (200, "6")
    await ws.send_str("5")
    await ws.send_str("4a")
    first = await ws.receive(timeout=PATIENCE_S)
    assert first.data == "4a"
    await ws.close()


async def test_what_waits_during_an_upgrade_follows_in_order(peer: Peer) -> None:
    sid = await peer.open_polling()
    ws = await peer.websocket(sid)
    await ws.send_str("2probe")
    assert await text(ws) == "3probe"
    assert (await peer.post(sid, "4one\x1e4two"))[0] == 200
    await ws.send_str("5")
    await ws.send_str("4three")
    assert [await text(ws) for _ in range(3)] == ["4one", "4two", "4three"]
    await ws.close()


async def upgraded_at_once(peer: Peer, sid: str) -> aiohttp.ClientWebSocketResponse:
    """As the protocol's own suite does it: both packets back to back."""
    ws = await peer.websocket(sid)
    socket = peer.socket(sid)
    await ws.send_str("2probe")
    await ws.send_str("5")
    await until(lambda: socket.upgraded)
    return ws


async def test_http_is_refused_after_an_upgrade(any_peer: Peer) -> None:
    sid = await any_peer.open_polling()
    ws = await upgraded_at_once(any_peer, sid)
    assert (await any_peer.get(sid))[0] == 400
    assert (await any_peer.post(sid, "4x"))[0] == 400
    await ws.close()


async def test_http_after_an_upgrade_does_not_hurt_the_websocket(peer: Peer) -> None:
    sid = await peer.open_polling()
    ws = await upgraded_at_once(peer, sid)
    assert (await peer.get(sid))[0] == 400
    await ws.send_str("4hello")
    assert [await text(ws) for _ in range(2)] == ["3probe", "4hello"]
    await ws.close()


async def test_a_second_websocket_is_closed_and_the_first_lives(peer: Peer) -> None:
    sid = await peer.open_polling()
    ws = await upgraded_at_once(peer, sid)
    second = await peer.websocket(sid)
    assert (await closed(second))[0] == 1008
    await ws.send_str("4hello")
    assert [await text(ws) for _ in range(2)] == ["3probe", "4hello"]
    await ws.close()


async def test_a_failed_probe_leaves_polling_alone(peer: Peer) -> None:
    sid = await peer.open_polling()
    ws = await peer.websocket(sid)
    await ws.send_str("4no probe")
    assert (await closed(ws))[0] == 1008
    assert (await peer.post(sid, "4still here"))[0] == 200
    assert await peer.get(sid) == (200, "4still here")


async def test_a_preflight_is_answered(peer: Peer) -> None:
    headers = {"Origin": "https://page.example", "Access-Control-Request-Headers": "x-a"}
    async with peer.session.options(peer.url, headers=headers) as response:
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Origin"] == "https://page.example"
        assert "POST" in response.headers["Access-Control-Allow-Methods"]
        assert "Access-Control-Allow-Credentials" not in response.headers
