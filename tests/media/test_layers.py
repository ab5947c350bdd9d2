"""Layers within one stream, from a real Chromium: all of them pass, and fewer still decode."""

import asyncio
import time
from collections.abc import Callable

import pytest

from tests.media.browsers import WAIT_S, Numbers, Tab, chromium, tab
from tests.media.peers import Lobby

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
WIDTH = "document.querySelector('video').videoWidth"


@pytest.mark.parametrize(
    ("codec", "mode"),
    [
        ("video/VP9", "L3T3_KEY"),
        ("video/VP9", "L2T2"),
        ("video/AV1", "L3T3"),
        ("video/AV1", "L2T1"),
    ],
)
async def test_spatial_layers_pass_and_a_small_picture_gets_fewer(codec: str, mode: str) -> None:
    async with chromium() as browser, Lobby(clock=time.monotonic) as lobby:
        alice, bob = await tab(browser, lobby, "alice"), await tab(browser, lobby, "bob")
        width, height = (960, 540) if mode.startswith("L3") else (480, 270)  # the least they take
        await alice.publish(codec=codec, scalability=mode, width=width, height=height, audio=False)
        await bob.decoded(10)
        (producer,) = lobby.sfu._rooms["room"].producers.values()
        await bob.until(f"{WIDTH} == {width}")
        assert producer.spatial == int(mode[1]) - 1
        before = (await bob.inbound("video"))[0]["framesDecoded"]
        lobby.sfu.update_subscription("room", "bob", producer.id, width=200, height=100)
        await bob.until(f"{WIDTH} < {width}")
        await bob.decoded(before + 20)
        lobby.sfu.update_subscription("room", "bob", producer.id)
        await bob.until(f"{WIDTH} == {width}")
        assert bob.errors == []


@pytest.mark.parametrize(
    ("codec", "mode"), [("video/VP8", "L1T3"), ("video/VP9", "L1T3"), ("video/AV1", "L1T3")]
)
async def test_a_slower_picture_gets_fewer_temporal_layers(codec: str, mode: str) -> None:
    async with chromium() as browser, Lobby(clock=time.monotonic) as lobby:
        alice, bob = await tab(browser, lobby, "alice"), await tab(browser, lobby, "bob")
        await alice.publish(codec=codec, scalability=mode, width=320, height=180, audio=False)
        await bob.decoded(30)
        (producer,) = lobby.sfu._rooms["room"].producers.values()
        assert producer.temporal == 2
        numbers = Numbers(lobby, "bob")
        lobby.sfu.update_subscription("room", "bob", producer.id, fps=8)
        await share(alice, bob, lambda part: 0.4 < part < 0.6)
        lobby.sfu.update_subscription("room", "bob", producer.id)
        await share(alice, bob, lambda part: part > 0.9)
        await numbers.whole()
        assert bob.errors == []


async def share(sender: Tab, receiver: Tab, fits: Callable[[float], bool]) -> None:
    """Wait until such a part of the frames that are sent arrives, however many a second."""
    async with asyncio.timeout(2 * WAIT_S):
        while True:
            sent, came = await sender.frames_sent(), await receiver.frames_received()
            while (now := await sender.frames_sent()) < sent + 30:
                await asyncio.sleep(0.1)
            if fits((await receiver.frames_received() - came) / (now - sent)):
                return
