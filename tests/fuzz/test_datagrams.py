"""Any bytes on the UDP port, from strangers and from participants with keys: sessions go on.

A failing seed is in the test's name.
"""

import asyncio
import logging
import random
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from media import OfferMade, Rights, TransportConnected, TransportLost
from media.wire import rtcp, rtp
from tests.media.peers import Lobby
from tests.media.raw import DELTA, KEYFRAME, Raw

PACKETS = [path.read_bytes() for path in sorted((Path("tests") / "packets").glob("*.bin"))]
AV1 = (
    "a=extmap:12 https://aomediacodec.github.io/av1-rtp-spec/"
    "#dependency-descriptor-rtp-header-extension\r\n"
    "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n"
)
ROUNDS = 400


async def _pair(lobby: Lobby, room: str, codec: str = "VP8") -> tuple[Raw, Raw]:
    publisher, subscriber = lobby.raw(), lobby.raw()
    lobby.sfu.join(room, "pub", Rights(subscribe=False))
    offer = publisher.offer().replace("VP8", codec).replace("a=rtcp-mux", AV1 + "a=rtcp-mux", 1)
    published = await lobby.sfu.publish(room, "pub", offer)
    await publisher.connect(published.sdp)
    lobby.sfu.join(room, "sub", Rights(publish=False))
    made = await lobby.event(OfferMade, room=room, participant="sub")
    assert isinstance(made, OfferMade)
    await lobby.sfu.answer(room, "sub", made.offer_id, subscriber.answer(made.sdp))
    await subscriber.connect(made.sdp)
    await lobby.event(TransportConnected, room=room, participant="sub")
    await lobby.event(TransportConnected, room=room, participant="pub")
    return publisher, subscriber


def _bent(dice: random.Random, data: bytes) -> bytes:
    """Bytes changed, cut off, repeated or appended."""
    bent = bytearray(data)
    for _ in range(dice.randrange(1, 6)):
        if bent:
            bent[dice.randrange(len(bent))] = dice.randrange(256)
    if dice.random() < 0.3:
        del bent[dice.randrange(len(bent) + 1) :]
    if dice.random() < 0.2:
        bent += dice.randbytes(dice.randrange(1200))
    return bytes(bent)


def _rtp(dice: random.Random, sequence: int) -> bytes:
    """A packet with this track's numbers around anything."""
    elements = [
        (dice.randrange(1, 15), dice.randbytes(dice.randrange(1, 17)))
        for _ in range(dice.randrange(4))
    ]
    if dice.random() < 0.2:
        elements.append((dice.choice((3, 12)), dice.randbytes(dice.randrange(1, 60))))
    body = _bent(dice, dice.choice(BODIES))
    packet = rtp.build(
        body,
        payload_type=dice.choice((96, 96, 96, 97)),
        sequence=sequence & 0xFFFF,
        timestamp=dice.randrange(1 << 32),
        ssrc=dice.choice((1234, 1234, 1234, 4321, 99)),
        marker=dice.randrange(2),
        elements=elements,
        padding_bytes=dice.choice((0, 0, 0, 7)),
    )
    return _bent(dice, packet) if dice.random() < 0.3 else packet


def _bodies(packets: list[bytes]) -> list[bytes]:
    """What is in those that are RTP."""
    found = []
    for packet in packets:
        with suppress(ValueError):
            found.append(bytes(rtp.parse(packet).payload))
    return found


BODIES = _bodies([packet for packet in PACKETS if 128 <= packet[0] < 192])
REPORTS = [packet for packet in PACKETS if len(packet) > 1 and 192 <= packet[1] <= 223]


def _send(raw: Raw, data: bytes, *, control: bool) -> None:
    """Protect what libsrtp takes; the rest goes as it is."""
    assert raw.sending is not None
    protect = raw.sending.protect_rtcp if control else raw.sending.protect_rtp
    raw.send(protect(data) or data if len(data) >= 12 else data)


@pytest.mark.parametrize("codec", ["VP8", "VP9", "H264", "AV1"])
@pytest.mark.parametrize("seed", [1, 2])
async def test_nothing_that_comes_ends_a_session_or_is_logged(
    seed: int, codec: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media.net.transport.STOP_TIMEOUT_S", 60.0)  # a slow end is logged
    dice = random.Random(seed)
    wrong: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, what: wrong.append(what))
    caplog.set_level(logging.INFO)
    async with Lobby() as lobby:
        publisher, subscriber = await _pair(lobby, "attacked", codec)
        others = await _pair(lobby, "quiet")
        stranger = lobby.raw(publisher.certificate)
        stranger.remote = publisher.remote
        for number in range(ROUNDS):
            stranger.send(_bent(dice, dice.choice(PACKETS)))
            stranger.send(dice.randbytes(dice.randrange(60)))
            _send(publisher, _rtp(dice, number), control=False)
            _send(dice.choice((publisher, subscriber)), _lying(dice), control=True)
            if number % 20 == 0:
                await asyncio.sleep(0)
        await _media_flows(others)
        for raw in (publisher, subscriber):
            await raw.checked()
        assert not any(isinstance(event, TransportLost) for event in lobby.events)
    assert wrong == []
    assert [r.message for r in caplog.records if r.name.startswith("media")] == []


def _lying(dice: random.Random) -> bytes:
    """RTCP of every kind, about the right sources or with anything in it."""
    ssrc = dice.choice((1234, 1, dice.randrange(1 << 32)))
    kind = dice.randrange(5)
    if kind == 0:
        return rtcp.Nack(1, ssrc, tuple(dice.randrange(1 << 16) for _ in range(20))).pack()
    if kind == 1:
        arrivals = tuple(None if dice.random() < 0.3 else 250 * n for n in range(50))
        return rtcp.TransportFeedback(1, ssrc, dice.randrange(1 << 16), 1, arrivals).pack()
    if kind == 2:
        return rtcp.SenderReport(
            ssrc, dice.randrange(1 << 64), dice.randrange(1 << 32), 1, 1
        ).pack()
    if kind == 3:
        return rtcp.Remb(1, dice.randrange(1 << 40), (ssrc,)).pack()
    return _bent(dice, dice.choice(REPORTS))


async def _media_flows(pair: tuple[Raw, Raw]) -> None:
    publisher, subscriber = pair
    for number, payload in enumerate((KEYFRAME, DELTA, DELTA)):
        publisher.send_rtp(publisher.packet(number, payload))
        await subscriber.rtp()
