"""A subscriber's path in virtual time: a simulcast encoder, the SFU's own parts, a bottleneck.

Everything but the system calls and the encoder is real: packets are encrypted, sent to the
`Sender` that is this path, decrypted at its end and reported by transport-wide feedback.
"""

import os
import random
from collections import deque

from pylibsrtp import Policy, Session

from media.adaptation import Adaptation
from media.consumer import Consumer
from media.drops import Drops
from media.flow.arrivals import Arrivals
from media.net.arena import SLOT_BYTES, Arena, counters, ffi
from media.net.dtls import Certificate
from media.net.egress import Destination, Egress
from media.net.hub import Hub
from media.net.srtp import Cipher
from media.net.transport import Transport
from media.producer import Producer
from media.stream import Stream
from media.wire import rtcp, rtp
from media.wire.sdp import Codec
from media.wire.seq import Unwrapper

FPS = 25
RIDS = ("q", "h", "f")
RATES_BPS = (150_000, 500_000, 1_700_000)
PACKET_BYTES = 1100
STEP_S = 0.01


class Encoder:
    """Three layers of one picture; the publisher of a Producer."""

    def __init__(self, rates_bps: tuple[int, ...] = RATES_BPS) -> None:
        self.rates_bps = rates_bps
        self.off: set[int] = set()
        """Layers that are not sent."""
        self._wanted = {0, 1, 2}
        self._sequences = [0, 20_000, 40_000]
        self._pictures = [0, 100, 200]

    def request_keyframe(self, ssrc: int) -> None:
        self._wanted.add(ssrc - 1)

    def ask_again(self, _ssrc: int, _sequences: list[int]) -> None:
        raise AssertionError("nothing is lost on the way up")

    def arrived(self, _number: int, _now: float) -> None:
        pass

    def frame(self, layer: int, number: int) -> list[bytes]:
        """One frame of a layer, a keyframe where one was asked for; they are three times larger."""
        key = layer in self._wanted
        self._wanted.discard(layer)
        self._pictures[layer] += 1
        size = self.rates_bps[layer] // FPS // 8 * (3 if key else 1)
        packets: list[bytes] = []
        while size > 0:
            body = self._head(layer, first=not packets, key=key)
            body += bytes(max(0, min(size, PACKET_BYTES) - len(body)))
            size -= PACKET_BYTES
            packets.append(
                rtp.build(
                    body,
                    payload_type=96,
                    sequence=self._sequences[layer] & 0xFFFF,
                    timestamp=number * 90_000 // FPS + layer * 1_000_000,
                    ssrc=layer + 1,
                    marker=int(size <= 0),
                )
            )
            self._sequences[layer] += 1
        return packets

    def _head(self, layer: int, *, first: bool, key: bool) -> bytes:
        picture = self._pictures[layer]
        head = bytes([0x90 if first else 0x80, 0xC0])
        head += (0x8000 | picture & 0x7FFF).to_bytes(2, "big") + bytes([picture & 0xFF])
        width = (320 << layer).to_bytes(2, "little")
        return head + (b"\x00\x00\x00\x9d\x01\x2a" + width + width if key else b"\x01" + bytes(9))


class Path:
    """The whole of it. `run` lets time pass; `got` is what arrived: (when, packet)."""

    def __init__(
        self,
        capacity_bps: float,
        *,
        seed: int = 1,
        loss: float = 0.0,
        rates_bps: tuple[int, ...] = RATES_BPS,
    ) -> None:
        self.capacity_bps = capacity_bps
        self.loss = loss
        self.now = 100.0
        self.got: list[tuple[float, rtp.Packet]] = []
        self.encoder = Encoder(rates_bps)
        self.feeds_back = True
        self.adapts = True
        self.remb_bps = 0
        self._random = random.Random(seed)
        self.frames = 0
        self._free_at = 0.0
        self._flying: deque[tuple[float, bytes]] = deque()
        self._arrivals, self._unwrapper = Arrivals(), Unwrapper()
        drops = Drops()
        hub = Hub(drops, lambda: self.now, lambda _now: None)
        self.touched: list[Stream] = []
        self.producer = Producer(
            participant="p",
            mid="0",
            kind="video",
            source="camera",
            codec=Codec(96, "VP8", 90_000, 1, {}, []),
            rtx_payload_type=None,
            extension_ids={},
            rids=list(RIDS),
            drops=drops,
            touched=self.touched,
            publisher=self.encoder,  # type: ignore[arg-type]
            on_level=lambda _producer, _level: None,
        )
        self._connect(hub, drops)
        for layer, rid in enumerate(RIDS):
            self.producer.add_stream(layer + 1, rid)

    def _connect(self, hub: Hub, drops: Drops) -> None:
        key = os.urandom(28)
        profile = Policy.SRTP_PROFILE_AEAD_AES_128_GCM
        self.transport = Transport(hub, Certificate.generateCertificate(), self)
        out = Policy(key=key, ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=profile)
        out.allow_repeat_tx = True
        self.transport.sending = Cipher(Session(out))
        back = Policy(key=key, ssrc_type=Policy.SSRC_ANY_INBOUND, srtp_profile=profile)
        self._receiving = Cipher(Session(back))
        self.transport.destination = Destination(b"\x02\x00" + bytes(14))
        self._arena = Arena(1024)
        self._memory = ffi.new("char[]", 8 * 1024)
        self.lengths = memoryview(ffi.buffer(self._memory)).cast("B").cast("Q")
        self.counters = counters(self._memory, 0, 8, 1024)
        self.segmentation = True
        self._messages: list[tuple[int, int]] = []
        self.egress = Egress(self._arena, self, drops, lambda: None)
        self.consumer = Consumer(self.producer, self.transport, self.egress, drops)
        self.consumer.accepted = True
        self.consumer.payload_type = 96
        self.consumer.repairs.payload_type = 97
        self.producer.consumers.append(self.consumer)
        self.adaptation = Adaptation(self.transport)
        self.adaptation.accepted = True

    # Listener

    def transport_connected(self, transport: Transport) -> None: ...
    def transport_lost(self, transport: Transport, reason: str) -> None: ...
    def rtp_received(self, packet: rtp.Packet, now: float) -> None: ...
    def rtcp_received(self, data: bytes, now: float) -> None: ...
    def channel_opened(self, channel: object) -> None: ...

    # Sender

    def message(self, number: int, _destination: Destination, first: int, count: int) -> None:
        del self._messages[number:]
        self._messages.append((first, count))

    def send(self, start: int, end: int) -> tuple[int, int]:
        for first, count in self._messages[start:end]:
            for slot in range(first, first + count):
                at = slot * SLOT_BYTES
                self._queue(bytes(self._arena.view[at : at + self.lengths[slot]]))
        return end - start, 0

    def send_one(self, _datagram: bytes, _destination: Destination) -> int:
        return 0

    def _queue(self, datagram: bytes) -> None:
        """A queue of 300 ms in front of the bottleneck, 20 ms of way after it."""
        begin = max(self._free_at, self.now)
        if begin - self.now > 0.3 or self._random.random() < self.loss:
            return
        self._free_at = begin + len(datagram) * 8 / self.capacity_bps
        self._flying.append((self._free_at + 0.02, datagram))

    # time

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / STEP_S)):
            self.now += STEP_S
            tick = round(self.now / STEP_S)
            if tick % 4 == 0:
                self._film()
            self._receive()
            if tick % 5 == 0:
                self.producer.tick(self.now)
                self.adaptation.pad([self.consumer], self.now)
            if tick % 25 == 0 and self.adapts:
                self.adaptation.tick([self.consumer], self.now)
            self.egress.flush()

    def _film(self) -> None:
        self.frames += 1
        for layer, stream in enumerate(sorted(self.producer.streams, key=lambda s: s.ssrc)):
            if layer in self.encoder.off:
                continue
            for packet in self.encoder.frame(layer, self.frames):
                stream.receive(rtp.parse(bytearray(packet)), self.now)
        for stream in self.touched:
            stream.forward(self.now)
        self.touched.clear()

    def _receive(self) -> None:
        while self._flying and self._flying[0][0] <= self.now:
            at, datagram = self._flying.popleft()
            plain = self._receiving.unprotect_rtp(datagram)
            if plain is None:
                continue
            packet = rtp.parse(plain)
            self.got.append((at, packet))
            number = rtp.find_extension(packet, 3)
            if number is not None:
                value = int.from_bytes(packet.data[number[0] : number[0] + 2], "big")
                self._arrivals.add(self._unwrapper.unwrap(value), at)
        self._feed_back()

    def _feed_back(self) -> None:
        told = self._arrivals.tick(self.now)
        if told is not None and self.feeds_back:
            packed = rtcp.TransportFeedback(
                1, 1, told.base & 0xFFFF, told.number, told.arrivals_us
            ).pack()
            (report,) = rtcp.parse(packed)
            assert isinstance(report, rtcp.TransportFeedback)
            self.adaptation.feedback(report, self.now)
        if self.remb_bps and round(self.now / STEP_S) % 50 == 0:
            self.adaptation.remb(rtcp.Remb(1, self.remb_bps, ()), self.now)

    # what it looks like at the end

    def layers(self, since_s: float) -> list[int]:
        """The layer of each keyframe that arrived since then, told by its size."""
        return [
            int.from_bytes(bytes(p.payload[11:13]), "little") // 640
            for at, p in self.got
            if at >= since_s and p.ssrc == self.consumer.ssrc and _is_keyframe(p)
        ]

    def media(self) -> list[rtp.Packet]:
        """Packets of the track itself, in the order they arrived."""
        return [p for _, p in self.got if p.ssrc == self.consumer.ssrc]


def _is_keyframe(packet: rtp.Packet) -> bool:
    payload = packet.payload
    return len(payload) > 15 and payload[0] == 0x90 and payload[8:11] == b"\x9d\x01\x2a"
