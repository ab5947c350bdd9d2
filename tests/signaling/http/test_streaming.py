"""WHIP and WHEP of a whole process: tokens decide who may stream into which room."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from aiohttp import ClientSession
from aiortc import RTCPeerConnection

from signaling.app import Process
from signaling.auth.tokens import Tokens
from signaling.model import Grants
from tests.media.peers import connection
from tests.signaling.ahead import ahead
from tests.signaling.http.callers import server_of
from tests.signaling.http.streams import offer, post, token, watching
from tests.wire_client import WireClient


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody here takes an answer: it is not because they never connect that streams end."""
    monkeypatch.setattr("media.net.transport.CONNECT_TIMEOUT_S", 600.0)


Peers = Callable[[], RTCPeerConnection]


@pytest.fixture
async def peers() -> AsyncIterator[Peers]:
    """`peers()`: one more, closed at the end."""
    async with AsyncExitStack() as stack:

        def made() -> RTCPeerConnection:
            peer = connection()
            stack.push_async_callback(peer.close)
            return peer

        yield made


async def test_a_granted_room_can_be_streamed_into(process: Process, peers: Peers) -> None:
    assert process.sfu is not None
    bearer = await token(process, "obs", Grants(rooms=("studio-*",)))
    status, answer = await post(process, "/whip/studio-1", await offer(peers()), bearer)
    assert (status, answer[:3]) == (201, "v=0")
    assert process.sfu.stats()["participants"] == 1


@pytest.mark.parametrize(
    ("path", "grants", "status"),
    [
        ("/whip/studio-1", None, 404),
        ("/whip/other", Grants(rooms=("studio-*",)), 404),
        ("/whip/studio-1", Grants(rooms=("*",), publish=False), 403),
        ("/whep/studio-1", Grants(rooms=("*",), subscribe=False), 403),
    ],
)
async def test_others_cannot(
    process: Process, peers: Peers, path: str, grants: Grants | None, status: int
) -> None:
    bearer = await token(process, "obs", grants)
    assert (await post(process, path, await offer(peers()), bearer))[0] == status


@pytest.mark.parametrize("bearer", ["", "x.y.z"])
async def test_nor_does_a_stranger(process: Process, bearer: str) -> None:
    assert (await post(process, "/whip/studio-1", "v=0\r\n", bearer))[0] == 401


async def member(process: Process) -> tuple[WireClient, str]:
    """Ann with a group that Obs is in."""
    ann = await WireClient(process.url, "ann").connect()
    made = await ann.request("conversation:create", type="group", client_id="g", members=["obs"])
    return ann, str(made["conversation"]["id"])


async def banned(process: Process, ann: WireClient, room: str) -> None:
    await process.moderating.bans.ban("demo", "obs", None, "", "key:x")


async def signed_out(process: Process, ann: WireClient, room: str) -> None:
    await process.guarding.revoking.user("demo", "obs")


async def kicked(process: Process, ann: WireClient, room: str) -> None:
    await ann.request("member:remove", conversation=room, user="obs")


async def banned_here(process: Process, ann: WireClient, room: str) -> None:
    await ann.request("member:ban", conversation=room, user="obs")


async def run_out(process: Process, ann: WireClient, room: str) -> None:
    """Its token was good for a while only."""
    ahead(process, 700)


@pytest.mark.parametrize("kind", ["whip", "whep"])
@pytest.mark.parametrize("act", [banned, signed_out, kicked, banned_here, run_out])
async def test_a_stream_ends_when_its_token_would_not_be_admitted_now(
    process: Process,
    peers: Peers,
    kind: str,
    act: Callable[[Process, WireClient, str], Awaitable[None]],
) -> None:
    assert process.sfu is not None
    assert process._whip is not None
    ann, room = await member(process)
    await process._whip.review()
    (key,) = await process.registry.keys("demo")
    bearer = await Tokens(process.registry).mint(key.id, "obs", lifetime_s=600)
    sdp = await (offer(peers()) if kind == "whip" else watching(peers()))
    assert (await post(process, f"/{kind}/{room}", sdp, bearer))[0] == 201
    await process._whip.review()
    assert process.sfu.stats()["participants"] == 1
    await act(process, ann, room)
    async with asyncio.timeout(60):
        while process.sfu.stats()["participants"]:
            await asyncio.sleep(0.05)
    await ann.close()


async def test_an_operator_sees_streams_and_ends_them(process: Process, peers: Peers) -> None:
    assert process.sfu is not None
    assert process.sfu.stats()["participants"] == 0
    ann, room = await member(process)
    seat = (await ann.request("room:join", room=room))["participant"]
    speaker, viewer = peers(), peers()
    bearer = await token(process, "obs", Grants(rooms=("studio",)))
    for to in (room, "studio"):
        assert (await post(process, f"/whip/{to}", await offer(speaker), bearer))[0] == 201
    assert (await post(process, f"/whep/{room}", await watching(viewer), bearer))[0] == 201
    async with ClientSession(process.url) as client:
        server = await server_of(process, client, "demo")
        stranger = await server_of(process, client, "other")
        assert (await stranger("GET", "/v1/rooms"))[1]["rooms"] == []
        listed = (await server("GET", "/v1/rooms"))[1]["rooms"]
        assert {one["room"]: one["participants"] for one in listed} == {room: 3, "studio": 1}
        _, seen = await server("GET", f"/v1/rooms/{room}")
        came = {one["via"]: one for one in seen["participants"]}
        assert (came["socket"]["participant"], came["whip"]["user"]) == (seat, "obs")
        assert came["whep"]["tracks"] == []
        (track,) = came["whip"]["tracks"]
        assert (track["kind"], track["muted"]) == ("audio", False)
        path = f"/v1/rooms/{room}/participants/{came['whip']['participant']}"
        muted = {"tracks": [track["track"]]}
        assert await server("POST", path + "/mute", {"source": "camera"}) == (200, {"tracks": []})
        assert await server("POST", path + "/mute", {}) == (200, muted)
        _, seen = await server("GET", f"/v1/rooms/{room}")
        assert [one["tracks"][0]["muted"] for one in seen["participants"] if one["tracks"]] == [
            True
        ]
        assert (await stranger("DELETE", path))[0] == 404
        gone = {"participant": came["whip"]["participant"], "user": "obs"}
        assert await server("DELETE", path) == (200, gone)
        assert (await server("DELETE", path))[0] == 404
        listed = (await server("GET", "/v1/rooms"))[1]["rooms"]
        assert {one["room"]: one["participants"] for one in listed} == {room: 2, "studio": 1}
        assert process.sfu.stats()["participants"] == 3
        (record,) = (await server("GET", "/v1/audit?action=participant:removed"))[1]["records"]
        assert record["subject"] == "obs"
    await ann.close()
