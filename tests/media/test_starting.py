"""How a picture starts for somebody who comes while others watch already."""

from media import OfferMade, Rights, TrackPublished, TrackUpdated, TransportConnected
from media.drops import DropReason
from media.wire import rtcp
from tests.media.peers import Clock, Lobby
from tests.media.raw import DELTA, KEYFRAME
from tests.media.test_invariants import dropped


class Arrival:
    """A publisher, and a subscriber whose answer is there, but no path yet."""

    def __init__(self, lobby: Lobby) -> None:
        self.lobby = lobby
        self.publisher, self.subscriber = lobby.raw(), lobby.raw()
        self.sent = 0

    async def begin(self) -> None:
        sfu = self.lobby.sfu
        sfu.join("room", "pub", Rights(subscribe=False))
        published = await sfu.publish("room", "pub", self.publisher.offer())
        await self.publisher.connect(published.sdp)
        await self.lobby.event(TransportConnected, participant="pub")
        sfu.join("room", "sub", Rights(publish=False))
        self.offer = await self.lobby.event(OfferMade, participant="sub")
        answer = self.subscriber.answer(self.offer.sdp)
        await sfu.answer("room", "sub", self.offer.offer_id, answer)

    async def send(self, *payloads: bytes) -> None:
        """Packets that come too early."""
        for payload in payloads:
            self.sent += 1
            self.publisher.send_rtp(self.publisher.packet(self.sent, payload))
        await dropped(self.lobby, DropReason.TRANSPORT_NOT_READY, self.sent)

    async def connect(self) -> None:
        await self.subscriber.connect(self.offer.sdp)
        await self.lobby.event(TransportConnected, participant="sub")


async def test_a_keyframe_that_came_a_moment_too_early_starts_the_picture() -> None:
    async with Lobby(clock=Clock()) as lobby:
        arrival = Arrival(lobby)
        await arrival.begin()
        await arrival.send(DELTA, KEYFRAME, DELTA)
        await arrival.connect()
        first, second = await arrival.subscriber.rtp(), await arrival.subscriber.rtp()
        assert bytes(first.payload[: len(KEYFRAME)]) == KEYFRAME
        assert second.sequence == first.sequence + 1 & 0xFFFF
        arrival.publisher.send_rtp(arrival.publisher.packet(4))
        assert (await arrival.subscriber.rtp()).sequence == first.sequence + 2 & 0xFFFF


async def test_a_keyframe_that_is_long_gone_is_asked_for_again() -> None:
    clock = Clock()
    async with Lobby(clock=clock) as lobby:
        arrival = Arrival(lobby)
        await arrival.begin()
        await arrival.send(KEYFRAME)
        clock.now += 1.0
        asked = 0
        await arrival.connect()
        while asked < 2:  # once with the answer, once more with the path
            found = rtcp.parse(await arrival.publisher.rtcp())
            asked += sum(isinstance(report, rtcp.Pli) for report in found)
        arrival.publisher.send_rtp(arrival.publisher.packet(2, KEYFRAME))
        assert (await arrival.subscriber.rtp()).timestamp is not None
        assert arrival.subscriber.srtp.empty()


async def test_what_was_hidden_by_a_mute_is_not_shown_to_whoever_comes_after_it() -> None:
    async with Lobby(clock=Clock()) as lobby:
        arrival = Arrival(lobby)
        await arrival.begin()
        await arrival.send(KEYFRAME)
        track = next(e.track for e in lobby.events if isinstance(e, TrackPublished))
        lobby.sfu.update_track("room", "pub", track, muted=True)
        arrival.publisher.send_rtp(arrival.publisher.packet(2))
        await dropped(lobby, DropReason.PRODUCER_MUTED)
        lobby.sfu.update_track("room", "pub", track, muted=False)
        await lobby.event(TrackUpdated, muted=False)
        await arrival.connect()
        arrival.publisher.send_rtp(arrival.publisher.packet(3))
        await dropped(lobby, DropReason.WAITING_FOR_KEYFRAME)
        assert arrival.subscriber.srtp.empty()
