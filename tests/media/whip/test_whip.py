"""WHIP and WHEP over real HTTP, with aiortc's RTCPeerConnection as publisher and viewer."""

import asyncio
from array import array
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription

from media.errors import MediaError
from media.whip.serving import Standalone
from media.whip.session import Session, Sessions
from media.wire import sdp
from tests.media.peers import Picture, Tone, connection

TOKEN = "a token"
AUTH = {"Authorization": f"Bearer {TOKEN}"}
FRAGMENT = "application/trickle-ice-sdpfrag"
WAIT_S = 60.0


class Site:
    """A standalone SFU and an HTTP client of it."""

    def __init__(self, standalone: Standalone, http: aiohttp.ClientSession) -> None:
        self.standalone = standalone
        self.http = http
        self.connections: list[RTCPeerConnection] = []

    async def post(self, path: str, body: str, **headers: str) -> tuple[int, str, str]:
        """(status, Location, body)."""
        headers = {"Content-Type": "application/sdp", **AUTH, **headers}
        async with self.http.post(path, data=body, headers=headers) as response:
            return response.status, response.headers.get("Location", ""), await response.text()

    async def start(self, path: str, peer: RTCPeerConnection) -> str:
        """Offer, take the answer; the resource."""
        self.connections.append(peer)
        await peer.setLocalDescription(await peer.createOffer())
        status, location, answer = await self.post(path, peer.localDescription.sdp)
        assert status == 201, answer
        await peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        return location

    async def publish(self, room: str = "studio") -> str:
        peer = connection()
        peer.addTransceiver(Tone(), "sendonly")
        peer.addTransceiver(Picture(), "sendonly")
        return await self.start(f"/whip/{room}", peer)

    async def watch(self, room: str = "studio") -> tuple[str, RTCPeerConnection]:
        peer = connection()
        peer.addTransceiver("audio", "recvonly")
        peer.addTransceiver("video", "recvonly")
        return await self.start(f"/whep/{room}", peer), peer

    async def stats(self) -> dict[str, object]:
        async with self.http.get("/stats", headers=AUTH) as response:
            assert response.status == 200
            return dict(await response.json())


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    standalone = Standalone(host="127.0.0.1", port=0, udp_port=0, token=TOKEN, udp_host="127.0.0.1")
    await standalone.start()
    async with aiohttp.ClientSession(base_url=standalone.url) as http:
        site = Site(standalone, http)
        yield site
        for peer in site.connections:
            await peer.close()
    await standalone.close()


async def _offer(*kinds: str, direction: str = "sendonly") -> str:
    peer = connection()
    for kind in kinds:
        peer.addTransceiver(kind, direction)
    await peer.setLocalDescription(await peer.createOffer())
    text = peer.localDescription.sdp
    await peer.close()
    return str(text)


async def test_a_viewer_sees_and_hears_the_publisher(site: Site) -> None:
    await site.publish()
    _, viewer = await site.watch()
    tracks = {receiver.track.kind: receiver.track for receiver in viewer.getReceivers()}
    async with asyncio.timeout(WAIT_S):
        picture = await tracks["video"].recv()
        sounds = [await tracks["audio"].recv() for _ in range(40)]
    assert (picture.width, picture.height) == (160, 120)
    assert max(array("h", bytes(sounds[-1].planes[0]))) > 1000
    stats = await site.stats()
    assert (stats["participants"], stats["tracks"], stats["http_sessions"]) == (2, 2, 2)


async def test_delete_ends_the_session_once(site: Site) -> None:
    location = await site.publish()
    async with site.http.delete(location, headers=AUTH) as response:
        assert response.status == 200
    assert (await site.stats())["rooms"] == 0
    async with site.http.delete(location, headers=AUTH) as response:
        assert response.status == 404


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "x"}])
async def test_a_token_is_required(site: Site, headers: dict[str, str]) -> None:
    headers["Content-Type"] = "application/sdp"
    async with site.http.post("/whip/studio", data="v=0", headers=headers) as response:
        assert response.status == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert (await response.json())["code"] == "unauthorized"
    async with site.http.get("/stats", headers=headers) as response:
        assert response.status == 401


async def test_another_callers_session_is_not_found(site: Site) -> None:
    location = await site.publish()
    for path in (
        location.replace("/whip/", "/whep/"),
        location.replace("/studio/", "/other/"),
        location + "x",
    ):
        async with site.http.delete(path, headers=AUTH) as response:
            assert response.status == 404


async def test_refuses_bodies(site: Site) -> None:
    receive_only = await _offer("video", direction="recvonly")
    send_only = await _offer("video")
    cases = [
        ("/whip/r", "", {}, 400),
        ("/whip/r", "not sdp", {}, 400),
        ("/whip/r", "v=0\r\n" + "a=x\r\n" * 60_000, {}, 413),
        ("/whip/r", send_only, {"Content-Type": "text/plain"}, 415),
        ("/whip/r", receive_only, {}, 422),
        ("/whep/r", send_only, {}, 422),
        ("/whip/" + "r" * 600, send_only, {}, 400),
    ]
    for path, body, headers, expected in cases:
        status, location, text = await site.post(path, body, **headers)
        assert (status, location) == (expected, ""), (path, text)
    stats = await site.stats()
    assert (stats["rooms"], stats["http_sessions"]) == (0, 0)


async def test_bytes_that_are_no_text(site: Site) -> None:
    headers = {"Content-Type": "application/sdp", **AUTH}
    async with site.http.post("/whip/r", data=b"\xff\xfe", headers=headers) as response:
        assert response.status == 400


async def test_other_methods_are_refused(site: Site) -> None:
    location = await site.publish()
    for path in ("/whip/studio", location):
        for method in ("GET", "PUT"):
            async with site.http.request(method, path, headers=AUTH) as response:
                assert response.status == 405


async def test_preflight_allows_any_origin(site: Site) -> None:
    async with site.http.options("/whip/studio", headers={"Origin": "https://x"}) as response:
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "Authorization" in response.headers["Access-Control-Allow-Headers"]
        assert response.headers["Accept-Post"] == "application/sdp"


async def _patch(site: Site, location: str, body: str, **headers: str) -> tuple[int, str, str]:
    headers = {"Content-Type": FRAGMENT, **AUTH, **headers}
    async with site.http.patch(location, data=body, headers=headers) as response:
        return response.status, response.headers.get("ETag", ""), await response.text()


def _fragment(ufrag: str, pwd: str) -> str:
    return (
        f"a=ice-ufrag:{ufrag}\r\na=ice-pwd:{pwd}\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"
        "a=candidate:1 1 udp 2130706431 192.0.2.1 9999 typ host\r\na=end-of-candidates\r\n"
    )


async def test_trickled_candidates_need_the_current_etag(site: Site) -> None:
    location = await site.publish()
    media = sdp.parse(site.connections[0].localDescription.sdp).medias[0]
    body = _fragment(media.ice_ufrag, media.ice_pwd)
    assert (await _patch(site, location, body))[0] == 428
    assert (await _patch(site, location, body, **{"If-Match": '"other"'}))[0] == 412
    status, etag, _ = await _patch(site, location, body, **{"If-Match": "*"})
    assert status == 204
    assert (await _patch(site, location, body, **{"If-Match": etag}))[0] == 204
    assert (await _patch(site, location, "nonsense", **{"If-Match": etag}))[0] == 400
    assert (await _patch(site, location, body, **{"Content-Type": "text/plain"}))[0] == 415


async def test_a_publisher_restarts_ice(site: Site) -> None:
    location = await site.publish()
    before = sdp.parse(site.connections[0].remoteDescription.sdp).medias[0]
    body = _fragment("wxyz", "0123456789012345678901")
    status, etag, text = await _patch(site, location, body, **{"If-Match": "*"})
    assert status == 200, text
    assert "a=ice-ufrag:" in text
    assert f"a=ice-ufrag:{before.ice_ufrag}\r\n" not in text
    assert "a=candidate:" in text
    assert (await _patch(site, location, body, **{"If-Match": etag}))[0] == 204
    assert (await site.stats())["tracks"] == 2


async def test_a_viewer_is_told_to_post_again(site: Site) -> None:
    location, _ = await site.watch()
    body = _fragment("wxyz", "0123456789012345678901")
    assert (await _patch(site, location, body, **{"If-Match": "*"}))[0] == 422


async def test_a_publisher_whose_connection_ends_is_gone(site: Site) -> None:
    location = await site.publish()
    _, viewer = await site.watch()
    track = next(r.track for r in viewer.getReceivers() if r.track.kind == "video")
    async with asyncio.timeout(WAIT_S):
        await track.recv()
        await site.connections[0].close()
        while (await site.stats())["http_sessions"] != 1:
            await asyncio.sleep(0.05)
    async with site.http.delete(location, headers=AUTH) as response:
        assert response.status == 404


def test_no_more_sessions_than_allowed() -> None:
    sessions = Sessions(limit=1)
    first = Session("whip", "room", "", "")
    sessions.add(first)
    with pytest.raises(MediaError, match="too many"):
        sessions.add(Session("whip", "room", "", ""))
    assert sessions.remove(first)
    assert not sessions.remove(first)
    sessions.add(Session("whip", "room", "", ""))


def test_strangers_need_a_token() -> None:
    with pytest.raises(ValueError):
        Standalone(host="0.0.0.0", port=0, udp_port=0)


async def test_a_taken_port_leaves_nothing_open(site: Site) -> None:
    port = int(site.standalone.url.rpartition(":")[2])
    second = Standalone(host="127.0.0.1", port=port, udp_port=0, udp_host="127.0.0.1")
    with pytest.raises(OSError, match="in use"):
        await second.start()
