"""Two independent clients hear and see each other through the SFU."""

from array import array

import pytest

from media import TransportConnected
from tests.media.peers import Lobby, Picture, Tone


@pytest.mark.parametrize("batched", [True, False])
async def test_audio_and_video_arrive_decodable_on_the_other_side(batched: bool) -> None:
    async with Lobby(batched=batched) as lobby:
        alice, bob = lobby.client("alice"), lobby.client("bob")
        await lobby.event(TransportConnected, participant="bob", transport="subscribe")
        await alice.publish(Tone(), Picture())
        pictures = await bob.frames("video", 5)
        sounds = await bob.frames("audio", 40)
        assert (pictures[-1].width, pictures[-1].height) == (160, 120)
        assert max(array("h", bytes(sounds[-1].planes[0]))) > 1000
