"""Application messages pass through the SFU on data channels."""

import asyncio

from media import DataReceived, TransportConnected
from tests.media.peers import WAIT_S, Lobby


async def test_a_message_reaches_the_others_and_the_owner() -> None:
    async with Lobby() as lobby:
        alice, bob = lobby.client("alice"), lobby.client("bob")
        await lobby.event(TransportConnected, participant="bob", transport="subscribe")
        await alice.publish(channel="data")
        opened = alice.opened["data"]
        async with asyncio.timeout(WAIT_S):
            while opened.readyState != "open" or "data" not in bob.channels:
                await asyncio.sleep(0.02)
        got: asyncio.Future[bytes | str] = asyncio.get_running_loop().create_future()
        bob.channels["data"].on("message", got.set_result)
        while bob.channels["data"].readyState != "open":
            await asyncio.sleep(0.02)
        opened.send("hello")
        event = await lobby.event(DataReceived, participant="alice")
        assert event.payload == b"hello"
        assert event.reliable
        async with asyncio.timeout(WAIT_S):
            assert "hello" in str(await got)
