"""Layers within one stream, from a real Chromium: all of them pass, and fewer still decode."""

import pytest

from tests.media.browsers import chromium, tab
from tests.media.peers import Lobby

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(200)]
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
    async with chromium() as browser, Lobby() as lobby:
        alice, bob = await tab(browser, lobby, "alice"), await tab(browser, lobby, "bob")
        await alice.publish(codec=codec, scalability=mode, width=960, height=540, audio=False)
        await bob.decoded(10)
        (producer,) = lobby.sfu._rooms["room"].producers.values()
        await bob.until(f"{WIDTH} == 960", 40)
        assert producer.spatial == int(mode[1]) - 1
        before = (await bob.inbound("video"))[0]["framesDecoded"]
        lobby.sfu.update_subscription("room", "bob", producer.id, width=200, height=100)
        await bob.until(f"{WIDTH} < 960", 30)
        await bob.decoded(before + 20)
        lobby.sfu.update_subscription("room", "bob", producer.id)
        await bob.until(f"{WIDTH} == 960", 30)
        assert bob.errors == []


@pytest.mark.parametrize(
    ("codec", "mode"), [("video/VP8", "L1T3"), ("video/VP9", "L1T3"), ("video/AV1", "L1T3")]
)
async def test_a_slower_picture_gets_fewer_temporal_layers(codec: str, mode: str) -> None:
    async with chromium() as browser, Lobby() as lobby:
        alice, bob = await tab(browser, lobby, "alice"), await tab(browser, lobby, "bob")
        await alice.publish(codec=codec, scalability=mode, audio=False)
        await bob.decoded(30)
        (producer,) = lobby.sfu._rooms["room"].producers.values()
        assert producer.temporal == 2
        lobby.sfu.update_subscription("room", "bob", producer.id, fps=8)
        rate = "stats(receiving, 'inbound-rtp').then(all => all[0].framesPerSecond)"
        await bob.until(f"{rate}.then(fps => fps > 0 && fps <= 12)", 30)
        lobby.sfu.update_subscription("room", "bob", producer.id)
        await bob.until(f"{rate}.then(fps => fps > 14)", 30)
        video = (await bob.inbound("video"))[0]
        assert video["packetsLost"] == 0
        assert bob.errors == []
