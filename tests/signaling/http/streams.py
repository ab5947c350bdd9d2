"""Clients that publish and watch by HTTP."""

from aiohttp import ClientSession
from aiortc import RTCPeerConnection

from signaling.app import Process
from signaling.auth.tokens import Tokens
from signaling.model import Grants
from tests.media.peers import Tone


async def token(process: Process, user: str, grants: Grants | None = None) -> str:
    keys = await process.registry.keys("demo")
    key = next(key for key in keys if "tokens" in key.scopes)
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


async def watching(peer: RTCPeerConnection) -> str:
    peer.addTransceiver("audio", "recvonly")
    await peer.setLocalDescription(await peer.createOffer())
    return str(peer.localDescription.sdp)
