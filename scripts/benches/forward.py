"""CPU per forwarded packet: one publisher, many subscribers, clients in another process.

    scripts/bench forward [--subscribers 50] [--rate 250] [--bytes 1100] [--seconds 10] [--json]

The publisher sends a frame's packets back to back, 25 frames a second, as an encoder does; with
`--burst 1` it sends them evenly. Clients speak real ICE, DTLS and SRTP, and only count.
"""

import argparse
import asyncio
import cProfile
import json
import multiprocessing
import pstats
import resource
import secrets
import socket
import sys
import time
from multiprocessing.connection import Connection
from typing import Any

from media import OfferMade, Rights, Sfu, SfuConfig, SfuEvent
from media.drops import Drops
from media.net.dtls import Certificate, Dtls, Feed
from media.net.srtp import Cipher, keyed
from media.wire import rtp, sdp, stun

VIDEO = """v=0\r
o=- 1 1 IN IP4 127.0.0.1\r
s=-\r
t=0 0\r
a=group:BUNDLE 0\r
m=video 9 UDP/TLS/RTP/SAVPF 96\r
c=IN IP4 0.0.0.0\r
a=mid:0\r
a=sendonly\r
a=rtcp-mux\r
a=rtpmap:96 VP8/90000\r
a=rtcp-fb:96 nack\r
a=rtcp-fb:96 nack pli\r
a=ssrc:1234 cname:bench\r
a=setup:actpass\r
a=ice-ufrag:{ufrag}\r
a=ice-pwd:{password}\r
a=fingerprint:{algorithm} {value}\r
"""


class LightClient:
    """ICE, DTLS and SRTP on a socket of its own; no codec, no jitter buffer."""

    def __init__(self, certificate: Certificate) -> None:
        self.certificate = certificate
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind(("127.0.0.1", 0))
        self.feed = Feed(self._send, Drops())
        self.ufrag, self.password = secrets.token_hex(4), secrets.token_hex(16)
        self.received = 0
        self.remote: tuple[str, int] = ("", 0)
        self.username = self.remote_password = ""
        self.verified = asyncio.Event()
        self.sending: Cipher | None = None
        self._dtls: Dtls | None = None
        asyncio.get_running_loop().add_reader(self.socket.fileno(), self._readable)

    def _send(self, data: bytes) -> None:
        self.socket.sendto(data, self.remote)

    def _readable(self) -> None:
        for _ in range(64):
            try:
                data = self.socket.recv(2048)
            except BlockingIOError:
                return
            if data[0] >= 128:
                self.received += 1
            elif data[0] >= 20:
                self.feed.put(data)
            else:
                self.verified.set()

    def check(self) -> None:
        """One connectivity check."""
        request, _ = stun.binding_request(
            self.username, self.remote_password, use_candidate=True, controlling=1
        )
        self._send(request)

    async def connect(self, description: str) -> None:
        """Connect to what an offer or answer describes."""
        media = sdp.parse(description).medias[0]
        candidate = sdp.Candidate.parse(media.candidates[0])
        self.remote = candidate.host, candidate.port
        self.username = f"{media.ice_ufrag}:{self.ufrag}"
        self.remote_password = media.ice_pwd
        while not self.verified.is_set():
            self.check()
            await asyncio.sleep(0.05)
        self._dtls = Dtls(self.feed, self.certificate, server=False)
        prints = [(f.algorithm, f.value) for f in media.fingerprints]
        async with asyncio.timeout(60):
            assert await self._dtls.handshake(prints)
        _receiving, self.sending = keyed(self._dtls)

    def describe(self, template: str) -> str:
        """Fill in this client's ICE and DTLS."""
        algorithm, value = self.certificate.fingerprint()
        return template.format(
            ufrag=self.ufrag, password=self.password, algorithm=algorithm, value=value
        )

    def answer(self, offer: str) -> str:
        """The answer that takes everything offered."""
        session = sdp.parse(offer)
        session.ice_lite = False
        algorithm, value = self.certificate.fingerprint()
        for media in session.medias:
            media.direction = media.direction.reversed
            media.setup = "active"
            media.ice_ufrag, media.ice_pwd = self.ufrag, self.password
            media.fingerprints = [sdp.Fingerprint(algorithm, value)]
            media.candidates = []
            media.ssrcs, media.ssrc_groups, media.msid = {}, [], None
        return session.serialize()


async def clients(pipe: Connection, options: argparse.Namespace) -> None:
    """The client process: connect everybody, then send and count."""
    certificate = Certificate.generateCertificate()
    loop = asyncio.get_running_loop()
    subscribers: dict[str, LightClient] = {}
    publisher = LightClient(certificate)
    pipe.send(("publish", publisher.describe(VIDEO)))
    joined: list[asyncio.Task[None]] = []
    while len(joined) < options.subscribers + 1:
        kind, name, text, offer_id = await loop.run_in_executor(None, pipe.recv)
        if kind == "answer":
            joined.append(asyncio.create_task(publisher.connect(text)))
            continue
        client = subscribers.setdefault(name, LightClient(certificate))
        pipe.send(("answer", name, offer_id, client.answer(text)))
        joined.append(asyncio.create_task(client.connect(text)))
    await asyncio.gather(*joined)
    pipe.send(("ready",))
    await send(publisher, list(subscribers.values()), options, pipe)


async def send(
    publisher: LightClient, others: list[LightClient], options: argparse.Namespace, pipe: Connection
) -> None:
    """Send at the rate for the warm-up and the measured time; report what arrived."""
    assert publisher.sending is not None
    frames = options.rate / options.burst
    total = int((options.seconds + 2) * frames)
    keyframe = b"\x10\x00\x00\x00\x9d\x01\x2a\x80\x02\xe0\x01"
    payload = keyframe + bytes(options.bytes - 12 - len(keyframe))
    sequence, start, measured = 0, time.monotonic(), False
    for frame in range(total):
        if not measured and time.monotonic() - start >= 2:
            measured = True
            for client in others:
                client.received = 0
            pipe.send(("start",))
        for part in range(options.burst):
            packet = rtp.build(
                payload,
                payload_type=96,
                sequence=sequence & 0xFFFF,
                timestamp=frame * 3600,
                ssrc=1234,
                marker=int(part == options.burst - 1),
            )
            protected = publisher.sending.protect_rtp(packet)
            assert protected is not None
            publisher._send(protected)
            sequence += 1
        if frame % int(frames * 2) == 0:
            for client in (publisher, *others):
                client.check()
        await asyncio.sleep(max(0.0, start + (frame + 1) / frames - time.monotonic()))
    pipe.send(("stop",))
    await asyncio.sleep(0.3)
    pipe.send(("received", sum(client.received for client in others)))


def client_process(pipe: Connection, options: argparse.Namespace) -> None:
    """Entry point of the client process."""
    asyncio.run(clients(pipe, options))


Mark = tuple[float, float, int, float]
"""(user s, system s, packets sent, wall s)."""


def mark(sfu: Sfu) -> Mark:
    """Where this process stands."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime, used.ru_stime, sfu.hub.udp.egress.sent_packets, time.monotonic()


async def serve(
    pipe: Connection, options: argparse.Namespace, profile: cProfile.Profile | None
) -> dict[str, Any]:
    """The server process: an Sfu, and the signalling over a pipe."""

    def emit(event: SfuEvent) -> None:
        if isinstance(event, OfferMade) and event.tracks:
            pipe.send(("offer", event.participant, event.sdp, event.offer_id))

    sfu = Sfu(SfuConfig(host="127.0.0.1", port=0), emit)
    await sfu.start()
    loop = asyncio.get_running_loop()
    sfu.join("bench", "publisher", Rights(subscribe=False))
    marks: dict[str, Mark] = {}
    received = 0
    while not received:
        message = await loop.run_in_executor(None, pipe.recv)
        if message[0] == "publish":
            published = await sfu.publish("bench", "publisher", message[1])
            pipe.send(("answer", "", published.sdp, ""))
            for number in range(options.subscribers):
                sfu.join("bench", f"s{number}", Rights(publish=False))
        elif message[0] == "answer":
            await sfu.answer("bench", message[1], message[2], message[3])
        elif message[0] == "received":
            received = message[1]
        else:
            if profile is not None:
                (profile.enable if message[0] == "start" else profile.disable)()
            marks[message[0]] = mark(sfu)
    result = figures(marks["start"], marks["stop"], received, options)
    result["drops"] = sfu.drops.as_dict()
    await sfu.close()
    return result


def figures(start: Mark, stop: Mark, received: int, options: argparse.Namespace) -> dict[str, Any]:
    """What the marks say."""
    user, system, sent, wall = (b - a for a, b in zip(start, stop, strict=True))
    cpu = user + system
    return {
        "subscribers": options.subscribers,
        "packets_per_s_in": options.rate,
        "packet_bytes": options.bytes,
        "burst": options.burst,
        "forwarded": sent,
        "arrived_share": round(received / sent, 4) if sent else 0,
        "cpu_us_per_packet": round(cpu / sent * 1e6, 2) if sent else None,
        "user_us_per_packet": round(user / sent * 1e6, 2) if sent else None,
        "cpu_share": round(cpu / wall, 3),
    }


def main() -> None:
    """Parse options, run both processes, print the figures."""
    parser = argparse.ArgumentParser(prog="bench forward")
    parser.add_argument("--subscribers", type=int, default=50)
    parser.add_argument("--rate", type=int, default=250)
    parser.add_argument("--bytes", type=int, default=1100)
    parser.add_argument("--burst", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=client_process, args=(theirs, options), daemon=True)
    process.start()
    profile = cProfile.Profile(time.process_time) if options.profile else None
    result = asyncio.run(serve(ours, options, profile))
    if profile is not None:
        pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(25)
    process.join(5)
    if options.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name:20} {value}")


if __name__ == "__main__":
    main()
