"""Simulcast from a real Chromium: three layers in, one out, switched at keyframes."""

import asyncio
import time

import pytest

from media.consumer import Consumer
from media.drops import DropReason
from media.producer import Producer
from tests.link import Link
from tests.media.browsers import WAIT_S, Numbers, Tab, chromium, tab
from tests.media.peers import Lobby

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


async def test_a_subscriber_gets_the_layer_that_fits_and_switches_without_a_break() -> None:
    async with chromium() as browser, Lobby(clock=time.monotonic) as lobby:
        alice, bob = await tab(browser, lobby, "alice"), await tab(browser, lobby, "bob")
        await alice.publish(simulcast=True, width=960, height=540, audio=False)
        await bob.decoded(5)
        (producer,) = lobby.sfu._rooms["room"].producers.values()
        assert producer.rids == ["l", "m", "h"]
        async with asyncio.timeout(4 * WAIT_S):
            while not await unbroken(bob, producer):
                pass


async def unbroken(bob: Tab, producer: Producer) -> bool:
    """Switch down and up; whether every frame had those that it refers to, or something was lost
    on the way. A page that a busy machine gave no frame for seconds asks for a keyframe as well,
    but not each time.
    """
    width = "document.querySelector('video').videoWidth"
    bob.lobby.sfu.update_subscription("room", "bob", producer.id)
    await bob.until(f"{width} == 960")
    numbers, before = Numbers(bob.lobby, "bob"), (await bob.inbound("video"))[0]
    bob.lobby.sfu.update_subscription("room", "bob", producer.id, width=240, height=135)
    await bob.until(f"{width} == 240")
    bob.lobby.sfu.update_subscription("room", "bob", producer.id, width=480, height=270)
    await bob.until(f"{width} == 480")
    await numbers.whole()
    after = (await bob.inbound("video"))[0]
    return after["nackCount"] > before["nackCount"] or after["pliCount"] == before["pliCount"]


async def test_a_narrow_path_gets_a_smaller_layer_and_a_wide_one_the_largest_again() -> None:
    async with (
        chromium() as browser,
        Lobby(clock=time.monotonic) as lobby,
        Link.open(lobby.sfu.port) as link,
    ):
        alice = await tab(browser, lobby, "alice")
        bob = await tab(browser, lobby, "bob", through=link.port)
        await alice.publish(simulcast=True, width=960, height=540, audio=False)
        width = "document.querySelector('video')?.videoWidth"
        await bob.until(f"{width} == 960", 2 * WAIT_S)
        subscriber = lobby.sfu._rooms["room"].participants["bob"].subscriber
        assert subscriber is not None
        async with asyncio.timeout(WAIT_S):
            while subscriber.transport.history is None:  # until packets are numbered
                await asyncio.sleep(0.05)
        link.rate_bps = 350_000
        await bob.until(f"{width} < 960", 2 * WAIT_S)
        async with asyncio.timeout(WAIT_S):
            while subscriber.adaptation.estimate_bps >= 700_000:
                await asyncio.sleep(0.05)
        (consumer,) = subscriber.consumers.values()
        narrow = rank(consumer)
        link.rate_bps = 0
        (producer,) = lobby.sfu._rooms["room"].producers.values()
        async with asyncio.timeout(2 * WAIT_S):  # as far up as a busy publisher still goes
            while rank(consumer) <= narrow < max(producer.ranks()):
                await asyncio.sleep(0.1)
        assert lobby.sfu.drops.counts[DropReason.RTCP_MALFORMED] == 0


def rank(consumer: Consumer) -> int:
    """Which layer is forwarded, from 0; -1 for none."""
    return consumer.current.rank if consumer.current is not None else -1
