"""What happens to a Participant over time: mute, silence, restart, roaming, departure, loss."""

import asyncio
import math

import pytest

from media import (
    MediaError,
    OfferMade,
    ParticipantLost,
    Rights,
    SpeakersChanged,
    TrackPublished,
    TrackUnpublished,
    TrackUpdated,
    TransportConnected,
    TransportLost,
)
from media.drops import DropReason
from media.wire import rtcp
from tests.link import Link
from tests.media.peers import WAIT_S, Clock, Lobby, Picture, Tone
from tests.media.raw import DELTA, KEYFRAME, SSRC, Raw
from tests.media.test_invariants import dropped, pair


def only_the_clock_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that stands still in earnest gives nobody more of a test's time."""
    monkeypatch.setattr("media.sfu.LATE_S", math.inf)


async def test_a_silent_participant_is_lost_after_the_consent_timeout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    only_the_clock_passes(monkeypatch)
    clock = Clock()
    async with Lobby(clock=clock) as lobby:
        _, subscriber = await pair(lobby)
        clock.now += 6.5
        await subscriber.checked()  # alive: heard again after the jump
        clock.now += 1.5
        lost = await lobby.event(TransportLost)
        assert (lost.participant, lost.transport, lost.reason) == ("pub", "publish", "silent")
        await lobby.event(ParticipantLost, participant="pub")
        await lobby.event(TrackUnpublished, participant="pub")
        assert not any(e.participant == "sub" for e in lobby.events if isinstance(e, TransportLost))


async def test_a_transport_that_never_connects_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    only_the_clock_passes(monkeypatch)
    clock = Clock()
    async with Lobby(clock=clock) as lobby:
        lobby.sfu.join("room", "ghost")
        await lobby.event(OfferMade, participant="ghost")
        clock.now += 31.0
        lost = await lobby.event(TransportLost, participant="ghost")
        assert lost.reason == "never connected"


async def test_a_browser_that_says_goodbye_is_gone_at_once() -> None:
    async with Lobby() as lobby:
        publisher, _ = await pair(lobby)
        assert publisher.dtls is not None
        await publisher.dtls.stop()
        lost = await lobby.event(TransportLost, participant="pub")
        assert lost.reason == "closed by peer"
        await lobby.event(OfferMade, lobby.events.index(lost), participant="sub", tracks=())


async def test_mute_stops_packets_and_unmute_goes_on_at_a_keyframe_without_a_gap() -> None:
    async with Lobby() as lobby:
        publisher, subscriber = await pair(lobby)
        track = next(e.track for e in lobby.events if isinstance(e, TrackPublished))
        publisher.send_rtp(publisher.packet(1, KEYFRAME))
        first = await subscriber.rtp()
        lobby.sfu.update_track("room", "pub", track, muted=True)
        await lobby.event(TrackUpdated, muted=True)
        publisher.send_rtp(publisher.packet(2))
        await dropped(lobby, DropReason.PRODUCER_MUTED)
        lobby.sfu.update_track("room", "pub", track, muted=False)
        publisher.send_rtp(publisher.packet(3))
        await dropped(lobby, DropReason.WAITING_FOR_KEYFRAME)
        publisher.send_rtp(publisher.packet(4, KEYFRAME))
        assert (await subscriber.rtp()).sequence == first.sequence + 1 & 0xFFFF
        with pytest.raises(MediaError, match="no such track"):
            lobby.sfu.update_track("room", "sub", track, muted=True)


async def test_ice_restart_keeps_media_flowing_on_the_same_dtls() -> None:
    async with Lobby() as lobby:
        publisher, subscriber = await pair(lobby)
        old = subscriber.media.ice_ufrag
        seen = len(lobby.events)
        await lobby.sfu.restart("room", "sub", "subscribe")
        offer = await lobby.event(OfferMade, seen, participant="sub")
        publisher.send_rtp(publisher.packet(1, KEYFRAME))
        await subscriber.rtp()  # the old path still carries
        await subscriber.checked()
        subscriber.aim(offer.sdp)
        assert subscriber.media.ice_ufrag != old
        await lobby.sfu.answer("room", "sub", offer.offer_id, subscriber.answer(offer.sdp))
        await subscriber.checked()
        subscriber.check(ufrag=old)  # the old generation ended with the nomination
        await dropped(lobby, DropReason.STUN_UNKNOWN_USER)
        publisher.send_rtp(publisher.packet(2))
        await subscriber.rtp()


async def test_an_offer_with_new_credentials_restarts_ice_on_publish() -> None:
    async with Lobby() as lobby:
        publisher, subscriber = await pair(lobby)
        old = publisher.media.ice_ufrag
        publisher.ufrag, publisher.password = "fresh123", "f" * 24
        published = await lobby.sfu.publish("room", "pub", publisher.offer())
        publisher.aim(published.sdp)
        assert publisher.media.ice_ufrag != old
        await publisher.checked()
        publisher.send_rtp(publisher.packet(1, KEYFRAME))
        await subscriber.rtp()
        assert sum(isinstance(e, TrackPublished) for e in lobby.events) == 1


async def test_media_follows_a_client_whose_address_changes() -> None:
    async with Lobby() as lobby, Link.open(lobby.sfu.port) as link:
        publisher, subscriber = await pair(lobby)
        subscriber.remote = ("127.0.0.1", link.port)  # the server now sees another address
        await subscriber.checked()
        publisher.send_rtp(publisher.packet(1, KEYFRAME))
        await subscriber.rtp()
        assert link.passed == 1


async def test_one_transport_cannot_take_the_address_of_another_that_is_alive() -> None:
    async with Lobby(clock=Clock()) as lobby:  # however long it takes to get there
        publisher, subscriber = await pair(lobby)
        mine = publisher.media
        publisher.media = subscriber.media
        publisher.check()
        await dropped(lobby, DropReason.STUN_ADDRESS_TAKEN)
        publisher.media = mine
        publisher.send_rtp(publisher.packet(1, KEYFRAME))
        await subscriber.rtp()


async def test_leaving_frees_the_m_line_for_the_next_track() -> None:
    async with Lobby() as lobby:
        publisher, subscriber = await pair(lobby)
        before = next(
            e for e in lobby.events if isinstance(e, OfferMade) and e.participant == "sub"
        )
        seen = len(lobby.events)
        await lobby.sfu.leave("room", "pub")
        empty = await lobby.event(OfferMade, seen, participant="sub")
        assert empty.tracks == ()
        await lobby.sfu.answer("room", "sub", empty.offer_id, subscriber.answer(empty.sdp))
        other = lobby.raw(publisher.certificate)
        lobby.sfu.join("room", "next", Rights(subscribe=False))
        await other.connect((await lobby.sfu.publish("room", "next", other.offer())).sdp)
        again = await lobby.event(OfferMade, lobby.events.index(empty) + 1, participant="sub")
        assert [t.mid for t in again.tracks] == [t.mid for t in before.tracks]
        await lobby.sfu.answer("room", "sub", again.offer_id, subscriber.answer(again.sdp))
        await lobby.event(TransportConnected, participant="next")
        other.send_rtp(other.packet(1, KEYFRAME))
        await subscriber.rtp()


@pytest.mark.parametrize("seed", [1, 2])
async def test_packets_lost_on_the_way_are_recovered_by_nack(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Ten tries are a second: that a machine this slow is not given up on is not at test here.
    monkeypatch.setattr("media.flow.nack.MAX_RETRIES", 1000)
    async with Lobby() as lobby, Link.open(lobby.sfu.port, seed=seed, loss=0.1) as link:
        publisher, subscriber = await pair(lobby)
        publisher.remote = ("127.0.0.1", link.port)
        await publisher.checked()
        link.keep = lambda data, upward: not upward or data[3] == 0 or link.dice()
        first = publisher.send_rtp(publisher.packet(0, KEYFRAME))
        sent = {n: publisher.send_rtp(publisher.packet(n)) for n in range(1, 200)}
        lobby.spawn(_answer_nacks(publisher, {0: first, **sent}))
        got: set[int] = set()
        start = None
        while len(got) < 199:  # the last may be lost with nothing after it to tell
            packet = await subscriber.rtp()
            start = packet.sequence if start is None else start
            got.add(packet.sequence - start & 0xFFFF)
        assert got <= set(range(200))
        assert link.lost > 5


async def _answer_nacks(publisher: Raw, sent: dict[int, bytes]) -> None:
    """Play a publisher's part: send again what is asked for."""
    while True:
        for report in rtcp.parse(await publisher.rtcp()):
            if isinstance(report, rtcp.Nack):
                for sequence in report.sequences:
                    publisher.send(sent[sequence])


async def test_who_speaks_is_told_and_who_is_muted_is_not() -> None:
    async with Lobby() as lobby:
        alice = lobby.client("alice")
        published = await alice.publish(Tone(), Picture())
        heard = await lobby.event(SpeakersChanged)
        assert [who for who, _level in heard.speakers] == ["alice"]
        track = next(t.track for t in published.tracks if t.kind == "audio")
        lobby.sfu.update_track("room", "alice", track, muted=True)
        await lobby.event(SpeakersChanged, lobby.events.index(heard), speakers=())


async def test_rights_and_limits_are_refused_with_a_code() -> None:
    async with Lobby(max_participants=2, max_tracks=0) as lobby:
        raw = lobby.raw()
        lobby.sfu.join("room", "a", Rights(publish=False))
        lobby.sfu.join("room", "b", Rights(sources=frozenset({"screen"})))
        for call, code in (
            (lambda: lobby.sfu.publish("room", "a", raw.offer()), "forbidden"),
            (lambda: lobby.sfu.publish("room", "b", raw.offer()), "too_large"),
            (lambda: lobby.sfu.publish("room", "b", "v=0"), "bad_request"),
            (lambda: lobby.sfu.publish("none", "b", ""), "not_found"),
            (lambda: lobby.sfu.answer("room", "b", "offer-9", ""), "conflict"),
        ):
            with pytest.raises(MediaError) as refused:
                await call()
            assert refused.value.code == code
        with pytest.raises(MediaError, match="full"):
            lobby.sfu.join("room", "c")


async def test_a_room_of_odd_names_still_offers_a_valid_description() -> None:
    async with Lobby() as lobby:
        publisher, subscriber = lobby.raw(), lobby.raw()
        name = "a b\r\na=evil:1 \u4f60\u597d"
        lobby.sfu.join("room", name, Rights(subscribe=False))
        await lobby.sfu.publish("room", name, publisher.offer())
        lobby.sfu.join("room", "sub", Rights(publish=False))
        offer = await lobby.event(OfferMade, participant="sub")
        assert "evil" not in offer.sdp
        assert offer.tracks[0].participant == name
        await lobby.sfu.answer("room", "sub", offer.offer_id, subscriber.answer(offer.sdp))
        with pytest.raises(MediaError, match="source is one of"):
            await lobby.sfu.publish("room", name, publisher.offer(), {"0": "telepathy"})


async def test_a_publisher_cannot_use_up_the_payload_types_of_others() -> None:
    async with Lobby() as lobby:
        subscriber = lobby.raw()
        lobby.sfu.join("room", "sub", Rights(publish=False))
        offer = await lobby.event(OfferMade, participant="sub")
        publishers = [lobby.raw(subscriber.certificate) for _ in range(40)]
        for number, publisher in enumerate(publishers):
            lobby.sfu.join("room", f"p{number}", Rights(subscribe=False))
            line = f"a=rtpmap:96 VP8/90000\r\na=fmtp:96 max-fr={number}\r\n"
            text = publisher.offer().replace("a=rtpmap:96 VP8/90000\r\n", line)
            await lobby.sfu.publish("room", f"p{number}", text)
        await lobby.sfu.answer("room", "sub", offer.offer_id, subscriber.answer(offer.sdp))
        full = await lobby.event(OfferMade, lobby.events.index(offer) + 1, participant="sub")
        assert full.sdp.count("a=sendonly") == 30
        await lobby.sfu.answer("room", "sub", full.offer_id, subscriber.answer(full.sdp))


async def test_a_subscription_that_is_off_gets_nothing_and_goes_on_at_a_keyframe() -> None:
    async with Lobby() as lobby:
        publisher, subscriber = await pair(lobby)
        publisher.send_rtp(publisher.packet(1, KEYFRAME))
        first = await subscriber.rtp()
        (producer,) = lobby.sfu._rooms["room"].producers.values()
        lobby.sfu.update_subscription("room", "sub", producer.id, enabled=False)
        publisher.send_rtp(publisher.packet(2, DELTA))
        await dropped(lobby, DropReason.CONSUMER_PAUSED)
        lobby.sfu.update_subscription("room", "sub", producer.id, enabled=True)
        publisher.send_rtp(publisher.packet(3, DELTA))
        await dropped(lobby, DropReason.WAITING_FOR_KEYFRAME)
        async with asyncio.timeout(WAIT_S):
            while not any(isinstance(r, rtcp.Pli) for r in rtcp.parse(await publisher.rtcp())):
                pass
        publisher.send_rtp(publisher.packet(4, KEYFRAME))
        assert (await subscriber.rtp()).sequence == first.sequence + 1 & 0xFFFF


async def test_sender_reports_carry_the_publishers_clock_and_a_name() -> None:
    async with Lobby() as lobby:
        publisher, subscriber = await pair(lobby)
        publisher.send_rtp(publisher.packet(1, KEYFRAME))
        got = await subscriber.rtp()
        publisher.send_rtcp(rtcp.SenderReport(SSRC, 7 << 32, 3000, 1, 50).pack())
        async with asyncio.timeout(WAIT_S):
            while True:
                found = rtcp.parse(await subscriber.rtcp())
                reports = [r for r in found if isinstance(r, rtcp.SenderReport)]
                if reports:
                    break
        (report,) = reports
        assert report.ssrc == got.ssrc
        assert 7 << 32 <= report.ntp < 20 << 32
        seconds = (report.ntp - (7 << 32)) / (1 << 32)
        ticks = report.timestamp - got.timestamp & 0xFFFF_FFFF
        assert abs(ticks - seconds * 90_000) <= 2
        assert [r.names for r in found if isinstance(r, rtcp.Sdes)] == [((got.ssrc, b"pub"),)]


def stands_still(monkeypatch: pytest.MonkeyPatch, clock: Clock, seconds: float) -> None:
    """The machine does, and its clocks go on."""
    loop = asyncio.get_running_loop()
    time_s = loop.time
    monkeypatch.setattr(loop, "time", lambda: time_s() + seconds)
    clock.now += seconds


async def test_a_process_that_stood_still_takes_nobody_for_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    async with Lobby(clock=clock) as lobby:
        await pair(lobby)
        stands_still(monkeypatch, clock, 8.0)
        await looked(lobby)
        assert not any(isinstance(event, TransportLost) for event in lobby.events)
        only_the_clock_passes(monkeypatch)
        clock.now += 8.0
        await lobby.event(TransportLost, reason="silent")


async def test_a_process_that_stood_still_gives_up_nobody_who_connects(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    async with Lobby(clock=clock) as lobby:
        publisher = lobby.raw()
        lobby.sfu.join("room", "pub", Rights(subscribe=False))
        publisher.aim((await lobby.sfu.publish("room", "pub", publisher.offer())).sdp)
        await publisher.checked()
        stands_still(monkeypatch, clock, 31.0)
        await looked(lobby)
        await publisher.handshake()
        await lobby.event(TransportConnected, participant="pub")


async def looked(lobby: Lobby) -> None:
    """Wait until the room was looked through for who is silent by now."""
    room = lobby.sfu._rooms["room"]
    async with asyncio.timeout(WAIT_S):
        while room._slow_at <= lobby.sfu.config.clock():
            await asyncio.sleep(0.01)
