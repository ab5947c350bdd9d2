"""The media invariants of the design, each under its own name."""

import ast
import asyncio
import secrets
from pathlib import Path

import pytest

from media import OfferMade, Rights, TransportConnected
from media.drops import DropReason
from media.net.arena import MAX_DATAGRAM_BYTES
from media.net.dtls import Certificate
from media.wire import rtcp, rtp
from tests.media.peers import WAIT_S, Clock, Lobby
from tests.media.raw import DELTA, KEYFRAME, SSRC, Raw

MEDIA = Path(__file__).parents[2] / "media"


async def pair(lobby: Lobby) -> tuple[Raw, Raw]:
    """A raw publisher and a raw subscriber, both connected."""
    publisher, subscriber = lobby.raw(), lobby.raw()
    lobby.sfu.join("room", "pub", Rights(subscribe=False))
    published = await lobby.sfu.publish("room", "pub", publisher.offer())
    await publisher.connect(published.sdp)
    lobby.sfu.join("room", "sub", Rights(publish=False))
    offer = await lobby.event(OfferMade, participant="sub")
    assert isinstance(offer, OfferMade)
    await lobby.sfu.answer("room", "sub", offer.offer_id, subscriber.answer(offer.sdp))
    await subscriber.connect(offer.sdp)
    await lobby.event(TransportConnected, participant="pub")
    await lobby.event(TransportConnected, participant="sub")
    return publisher, subscriber


async def dropped(lobby: Lobby, reason: DropReason, count: int = 1) -> None:
    """Wait until that many packets were dropped for `reason`."""
    async with asyncio.timeout(WAIT_S):
        while lobby.sfu.drops.counts[reason] < count:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("part", ["wire", "flow"])
def test_1_the_pure_parts_never_await_log_or_read_a_clock(part: str) -> None:
    for path in sorted((MEDIA / part).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            assert not isinstance(node, ast.Await | ast.AsyncFunctionDef), path
            if isinstance(node, ast.Import):
                names = {alias.name for alias in node.names}
                assert not names & {"asyncio", "logging", "time", "socket", "threading"}, path


async def test_2_a_datagram_never_ends_a_session_and_every_drop_is_counted() -> None:
    async with Lobby() as lobby:
        publisher, subscriber = await pair(lobby)
        publisher.send_rtp(publisher.packet(1, KEYFRAME))
        first = await subscriber.rtp()
        publisher.send_rtp(_padding_lies(publisher.packet(2)))
        publisher.send_rtp(_extension_lies(publisher.packet(3)))
        for junk in (b"", b"\x80", b"\x16", b"\x00\x01", b"\xff" * 40, b"\x80" * 12, b"\x14" * 14):
            publisher.send(junk)
        publisher.send(b"\x15\xfe\xfd" + bytes(8) + b"\x00\x02\x02\x28")  # a plaintext fatal alert
        publisher.send(b"\x90" + secrets.token_bytes(60))
        publisher.send_rtcp(b"\x81\xcd\x00\x02" + bytes(8))
        publisher.send(publisher.packet(4)[:12] + bytes(4000))
        publisher.send(b"\x16\xfe\xfd" + bytes(4000))
        replay = publisher.send_rtp(publisher.packet(4))
        assert (await subscriber.rtp()).sequence == first.sequence + 3 & 0xFFFF
        publisher.send(replay)
        publisher.send_rtp(publisher.packet(5))
        assert (await subscriber.rtp()).sequence == first.sequence + 4 & 0xFFFF
        counts = lobby.sfu.stats()["drops_total"]
        assert isinstance(counts, dict)
        assert counts["rtp_malformed"] == 2
        assert counts["srtp_replay"] == 1
        assert counts["dtls_plain_alert"] == 1
        assert counts["truncated"] == 2
        assert {"too_short", "srtp_auth", "dtls_malformed"} <= counts.keys()


def _padding_lies(packet: bytes) -> bytes:
    return bytes([packet[0] | 0x20]) + packet[1:-1] + b"\xff"


def _extension_lies(packet: bytes) -> bytes:
    """One word of extension whose only element claims sixteen bytes."""
    block = b"\xbe\xde\x00\x01\x1f\x00\x00\x00"
    return bytes([packet[0] | 0x10]) + packet[1:12] + block + packet[12:]


async def test_3_nothing_but_stun_from_an_unverified_address_and_bounded_queues() -> None:
    async with Lobby() as lobby:
        certificate = Certificate.generateCertificate()
        stranger, client = lobby.raw(certificate), lobby.raw(certificate)
        lobby.sfu.join("room", "pub", Rights(subscribe=False))
        published = await lobby.sfu.publish("room", "pub", client.offer())
        hello = b"\x16\xfe\xfd" + bytes(8) + b"\x00\x10" + bytes(16)
        for raw in (stranger, client):
            raw.aim(published.sdp)
        stranger.send(hello)
        stranger.send(client.packet(1))
        client.send(hello)  # before its own check: a stranger still
        await dropped(lobby, DropReason.UNVERIFIED_ADDRESS, 3)
        stranger.check(password="wrong" * 5)
        stranger.check(ufrag="nobody" * 3)
        await dropped(lobby, DropReason.STUN_INTEGRITY)
        await dropped(lobby, DropReason.STUN_UNKNOWN_USER)
        stranger.send(hello)
        await dropped(lobby, DropReason.UNVERIFIED_ADDRESS, 4)
        # One who may speak cannot fill our memory before it has proved who it is.
        lobby.sfu.join("room", "sub", Rights(publish=False))
        offer = await lobby.event(OfferMade, participant="sub")
        assert isinstance(offer, OfferMade)
        flood = lobby.raw(certificate)
        flood.aim(offer.sdp)
        await flood.checked()
        for _ in range(100):
            flood.send(hello)
        await dropped(lobby, DropReason.DTLS_QUEUE_FULL, 50)
        await client.checked()
        await client.handshake()
        await lobby.event(TransportConnected, participant="pub")


async def test_4_a_packet_is_parsed_once_cached_once_and_patched_once_per_consumer() -> None:
    async with Lobby(clock=Clock()) as lobby:  # what is cached does not get too old
        publisher, subscriber = await pair(lobby)
        (producer,) = lobby.sfu._rooms["room"].producers.values()
        publisher.send_rtp(publisher.packet(7, KEYFRAME))
        got = await subscriber.rtp()
        (stream,) = producer.streams
        (consumer,) = producer.consumers
        entry = stream.cached(7 + 0x10000, lobby.sfu.config.clock())
        assert entry is not None
        assert entry.packet.payload == rtp.parse(publisher.packet(7, KEYFRAME)).payload
        assert (got.ssrc, got.payload_type) == (consumer.ssrc, consumer.payload_type)
        assert bytes(got.payload) == bytes(entry.packet.payload)


async def test_5_no_glare_one_offer_in_flight_the_rest_coalesce() -> None:
    async with Lobby() as lobby:
        subscriber = lobby.raw()
        lobby.sfu.join("room", "sub", Rights(publish=False))
        first = await lobby.event(OfferMade, participant="sub")
        assert isinstance(first, OfferMade)
        publishers = [lobby.raw(subscriber.certificate) for _ in range(3)]
        for number, publisher in enumerate(publishers):
            lobby.sfu.join("room", f"pub{number}", Rights(subscribe=False))
            await lobby.sfu.publish("room", f"pub{number}", publisher.offer())
        assert _offers(lobby) == 1
        await lobby.sfu.answer("room", "sub", first.offer_id, subscriber.answer(first.sdp))
        second = await lobby.event(OfferMade, lobby.events.index(first) + 1, participant="sub")
        assert isinstance(second, OfferMade)
        assert len(second.tracks) == 3
        assert _offers(lobby) == 2


def _offers(lobby: Lobby) -> int:
    return sum(isinstance(event, OfferMade) for event in lobby.events)


def test_6_never_decode_to_forward() -> None:
    for path in sorted(MEDIA.rglob("*.py")):
        if path.parent.name == "record":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert node.module not in {"av", "aiortc.codecs", "aiortc.contrib"}, path
            elif isinstance(node, ast.Import):
                assert not {alias.name for alias in node.names} & {"av", "numpy"}, path


async def test_a_lost_packet_is_resent_as_rtx_from_the_cache() -> None:
    async with Lobby(clock=Clock()) as lobby:  # what is cached does not get too old
        publisher, subscriber = await pair(lobby)
        publisher.send_rtp(publisher.packet(1, KEYFRAME))
        first = await subscriber.rtp()
        publisher.send_rtp(publisher.packet(2, DELTA))
        second = await subscriber.rtp()
        nack = rtcp.Nack(1, first.ssrc, (second.sequence,))
        subscriber.send_rtcp(rtcp.pack([nack]))
        again = await subscriber.rtp()
        assert again.ssrc != first.ssrc
        assert int.from_bytes(bytes(again.payload[:2]), "big") == second.sequence
        assert bytes(again.payload[2:]) == bytes(second.payload)


async def test_the_publisher_is_asked_for_what_is_missing_and_for_keyframes() -> None:
    async with Lobby() as lobby:
        publisher, subscriber = await pair(lobby)
        publisher.send_rtp(publisher.packet(1, KEYFRAME))
        await subscriber.rtp()
        publisher.send_rtp(publisher.packet(4))
        wanted: set[int] = set()
        async with asyncio.timeout(WAIT_S):
            while wanted != {2, 3}:
                for report in rtcp.parse(await publisher.rtcp()):
                    if isinstance(report, rtcp.Nack):
                        assert report.media_ssrc == SSRC
                        wanted.update(report.sequences)
        (producer,) = lobby.sfu._rooms["room"].producers.values()
        (consumer,) = producer.consumers
        subscriber.send_rtcp(rtcp.pack([rtcp.Pli(1, consumer.ssrc)]))
        async with asyncio.timeout(WAIT_S):
            while not any(
                isinstance(report, rtcp.Pli) for report in rtcp.parse(await publisher.rtcp())
            ):
                pass


@pytest.mark.parametrize("size", [1540, 1600, 2020])
async def test_2_a_packet_too_long_to_be_sent_on_is_dropped_and_writes_past_nothing(
    size: int,
) -> None:
    """With room, number and cipher it would not fit the slot it is sent from."""
    async with Lobby() as lobby:
        publisher, subscriber = await pair(lobby)
        publisher.send_rtp(publisher.packet(1, KEYFRAME))
        first = await subscriber.rtp()
        egress = lobby.sfu.hub.udp.egress
        filling = DELTA + bytes(size - len(publisher.packet(2, DELTA)))
        for number in range(2, 5):
            publisher.send_rtp(publisher.packet(number, filling))
        publisher.send_rtp(publisher.packet(5))
        if size < 1560:
            assert len((await subscriber.rtp()).data) > size
        else:
            assert (await subscriber.rtp()).sequence == first.sequence + 4 & 0xFFFF
            await dropped(lobby, DropReason.TOO_LARGE, 3)
        assert max(egress.lengths) <= MAX_DATAGRAM_BYTES


async def test_13_a_bug_in_one_room_stops_the_time_of_no_other() -> None:
    async with Lobby() as lobby:
        loop = asyncio.get_running_loop()
        reported: asyncio.Queue[dict[str, object]] = asyncio.Queue()
        loop.set_exception_handler(lambda _loop, context: reported.put_nowait(context))
        lobby.sfu.join("sick", "ann", Rights())
        lobby.sfu._rooms["sick"].producers = None  # type: ignore[assignment]
        await pair(lobby)
        async with asyncio.timeout(WAIT_S):
            assert isinstance((await reported.get())["exception"], AttributeError)
            reports = lobby.sfu._rooms["room"]._slow_at
            while lobby.sfu._rooms["room"]._slow_at == reports:
                await reported.get()
        lobby.sfu._rooms["sick"].producers = {}
