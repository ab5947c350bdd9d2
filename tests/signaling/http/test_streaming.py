"""WHIP and WHEP of a whole process: tokens decide who may stream into which room."""

import pytest
from aiohttp import ClientSession
from aiortc import RTCPeerConnection

from signaling.app import Process
from signaling.auth.tokens import Tokens
from signaling.model import Grants
from tests.media.peers import Tone, connection


async def token(process: Process, user: str, grants: Grants | None = None) -> str:
    (key,) = await process.registry.keys("demo")
    return await Tokens(process.registry).mint(key.id, user, grants=grants)


async def offer(peer: RTCPeerConnection) -> str:
    peer.addTransceiver(Tone(), "sendonly")
    await peer.setLocalDescription(await peer.createOffer())
    return str(peer.localDescription.sdp)


async def post(process: Process, path: str, body: str, bearer: str) -> tuple[int, str]:
    headers = {"Content-Type": "application/sdp", "Authorization": f"Bearer {bearer}"}
    async with (
        ClientSession(process.url) as session,
        session.post(path, data=body, headers=headers) as response,
    ):
        return response.status, await response.text()


async def test_a_granted_room_can_be_streamed_into(process: Process) -> None:
    assert process.sfu is not None
    peer = connection()
    bearer = await token(process, "obs", Grants(rooms=("studio-*",)))
    status, answer = await post(process, "/whip/studio-1", await offer(peer), bearer)
    await peer.close()
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
    process: Process, path: str, grants: Grants | None, status: int
) -> None:
    peer = connection()
    bearer = await token(process, "obs", grants)
    assert (await post(process, path, await offer(peer), bearer))[0] == status
    await peer.close()


@pytest.mark.parametrize("bearer", ["", "x.y.z"])
async def test_nor_does_a_stranger(process: Process, bearer: str) -> None:
    assert (await post(process, "/whip/studio-1", "v=0\r\n", bearer))[0] == 401
