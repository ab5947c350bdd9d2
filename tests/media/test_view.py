"""A viewer offers once, and gets what the room has, now and later."""

from aiortc import RTCSessionDescription

from media import TransportConnected
from tests.media.peers import Lobby, Picture, Tone, connection


async def _view(lobby: Lobby, name: str) -> object:
    viewer = connection()
    lobby.owns(viewer.close)
    viewer.addTransceiver("audio", "recvonly")
    viewer.addTransceiver("video", "recvonly")
    await viewer.setLocalDescription(await viewer.createOffer())
    answer = await lobby.sfu.view("room", name, viewer.localDescription.sdp)
    await viewer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    return viewer


async def test_a_viewer_sees_and_hears_what_is_published() -> None:
    async with Lobby() as lobby:
        alice = lobby.client("alice")
        await alice.publish(Tone(), Picture())
        await lobby.event(TransportConnected, participant="alice", transport="publish")
        viewer = await _view(lobby, "viewer")
        tracks = {r.track.kind: r.track for r in viewer.getReceivers()}
        assert (await tracks["video"].recv()).width == 160
        await tracks["audio"].recv()


async def test_a_viewer_that_came_first_sees_what_is_published_later() -> None:
    async with Lobby() as lobby:
        viewer = await _view(lobby, "viewer")
        await lobby.event(TransportConnected, participant="viewer", transport="subscribe")
        await lobby.client("alice").publish(Picture())
        tracks = {r.track.kind: r.track for r in viewer.getReceivers()}
        assert (await tracks["video"].recv()).width == 160
