"""Application messages pass through the SFU on data channels."""

import asyncio
from typing import Any

import pytest

from media import DataReceived, TransportConnected
from tests.media.peers import WAIT_S, Lobby


async def test_a_message_reaches_the_others_and_the_owner() -> None:
    async with Lobby() as lobby:
        alice, bob = lobby.client("alice"), lobby.client("bob")
        await lobby.event(TransportConnected, participant="bob", transport="subscribe")
        await alice.publish(channel="data")
        opened, his = await _opened(alice.opened, "data"), await _opened(bob.channels, "data")
        got: asyncio.Future[bytes | str] = asyncio.get_running_loop().create_future()
        his.on("message", got.set_result)
        opened.send("hello")
        event = await lobby.event(DataReceived, participant="alice")
        assert event.payload == b"hello"
        assert event.reliable
        async with asyncio.timeout(WAIT_S):
            assert "hello" in str(await got)


async def _opened(channels: dict[str, Any], label: str) -> Any:
    async with asyncio.timeout(WAIT_S):
        while label not in channels or channels[label].readyState != "open":
            await asyncio.sleep(0.02)
    return channels[label]


@pytest.mark.parametrize("label", ["data", "data-lossy"])
async def test_what_is_written_on_the_channels_the_server_opened_is_heard(label: str) -> None:
    async with Lobby() as lobby:
        alice, bob = lobby.client("alice"), lobby.client("bob")
        for name in ("alice", "bob"):
            await lobby.event(TransportConnected, participant=name, transport="subscribe")
        hers, his = await _opened(alice.channels, label), await _opened(bob.channels, label)
        got: asyncio.Future[bytes | str] = asyncio.get_running_loop().create_future()
        his.on("message", got.set_result)
        hers.send("hello")
        event = await lobby.event(DataReceived, participant="alice")
        assert isinstance(event, DataReceived)
        assert (event.payload, event.reliable) == (b"hello", label == "data")
        async with asyncio.timeout(WAIT_S):
            assert "hello" in str(await got)
