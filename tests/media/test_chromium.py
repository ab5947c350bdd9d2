"""Real Chromium pages through the SFU."""

import time

import pytest

from tests.media.browsers import Numbers, chromium, tab
from tests.media.peers import Lobby

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


@pytest.mark.parametrize("codec", ["video/VP8", "video/VP9", "video/H264", "video/AV1"])
async def test_two_pages_see_and_hear_each_other(codec: str) -> None:
    async with chromium() as browser, Lobby(clock=time.monotonic) as lobby:
        alice, bob = await tab(browser, lobby, "alice"), await tab(browser, lobby, "bob")
        await alice.publish(codec=codec)
        await bob.publish(codec=codec)
        await bob.decoded(1)
        numbers = Numbers(lobby, "bob")
        await bob.decoded(10)
        await alice.decoded(10)
        await bob.until(
            "stats(receiving, 'inbound-rtp').then(all => all.some("
            "r => r.kind === 'audio' && r.totalAudioEnergy > 0))"
        )
        await numbers.whole()
        assert alice.errors == bob.errors == []
