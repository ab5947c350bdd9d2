"""A participant made of bytes: real ICE, DTLS and SRTP over one socket, packets by hand."""

import asyncio
import secrets
import socket

from media.drops import Drops
from media.net.dtls import Certificate, Dtls, Feed
from media.net.srtp import Cipher, keyed
from media.net.udp import SOCKET_BUFFER_BYTES
from media.wire import rtp, sdp, stun

WAIT_S = 60.0
SSRC = 1234
OFFER = """v=0\r
o=- 1 1 IN IP4 127.0.0.1\r
s=-\r
t=0 0\r
a=group:BUNDLE 0\r
m=video 9 UDP/TLS/RTP/SAVPF 96 97\r
c=IN IP4 0.0.0.0\r
a=mid:0\r
a=sendonly\r
a=rtcp-mux\r
a=rtpmap:96 VP8/90000\r
a=rtcp-fb:96 nack\r
a=rtcp-fb:96 nack pli\r
a=rtpmap:97 rtx/90000\r
a=fmtp:97 apt=96\r
a=ssrc-group:FID 1234 4321\r
a=ssrc:1234 cname:raw\r
a=ssrc:4321 cname:raw\r
a=setup:actpass\r
a=ice-ufrag:{ufrag}\r
a=ice-pwd:{password}\r
a=fingerprint:{algorithm} {value}\r
"""
KEYFRAME = b"\x10\x00\x00\x00\x9d\x01\x2a\x80\x02\xe0\x01"
DELTA = b"\x10\x01\x00\x00"


class Raw:
    """One socket and one DTLS client; `Lobby.raw` makes one that is closed at the end."""

    def __init__(self, certificate: Certificate | None = None) -> None:
        self.certificate = certificate or Certificate.generateCertificate()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER_BYTES)
        self.socket.bind(("127.0.0.1", 0))
        self.feed = Feed(self.send, Drops())
        self.ufrag, self.password = secrets.token_hex(4), secrets.token_hex(16)
        self.remote: tuple[str, int] = ("", 0)
        self.media = sdp.Media("video")
        self.stun: asyncio.Queue[bytes] = asyncio.Queue()
        self.srtp: asyncio.Queue[bytes] = asyncio.Queue()
        self.receiving: Cipher | None = None
        self.sending: Cipher | None = None
        self.dtls: Dtls | None = None
        asyncio.get_running_loop().add_reader(self.socket.fileno(), self._readable)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self.socket.fileno())
        self.feed.close()
        if self.dtls is not None and self.dtls.pump is not None:
            self.dtls.pump.cancel()
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendto(data, self.remote)

    def _readable(self) -> None:
        """All there is: what waits in a full socket costs those that come after it."""
        while True:
            try:
                self._received(self.socket.recv(2048))
            except BlockingIOError:
                return

    def _received(self, data: bytes) -> None:
        if data[0] >= 128:
            self.srtp.put_nowait(data)
        elif data[0] >= 20:
            self.feed.put(data)
        else:
            self.stun.put_nowait(data)

    def offer(self) -> str:
        algorithm, value = self.certificate.fingerprint()
        return OFFER.format(
            ufrag=self.ufrag, password=self.password, algorithm=algorithm, value=value
        )

    def answer(self, offer: str) -> str:
        session = sdp.parse(offer)
        session.ice_lite = False
        for media in session.medias:
            media.direction = media.direction.reversed
            media.setup = "active"
            media.ice_ufrag, media.ice_pwd = self.ufrag, self.password
            media.fingerprints = [sdp.Fingerprint(*self.certificate.fingerprint())]
            media.candidates = []
            media.ssrcs, media.ssrc_groups, media.msid = {}, [], None
        return session.serialize()

    def aim(self, description: str) -> None:
        """Note where and as whom the server is reached."""
        self.media = sdp.parse(description).medias[0]
        candidate = sdp.Candidate.parse(self.media.candidates[0])
        self.remote = candidate.host, candidate.port

    def check(self, *, password: str | None = None, ufrag: str | None = None) -> bytes:
        """Send one connectivity check; its transaction."""
        request, transaction = stun.binding_request(
            f"{ufrag or self.media.ice_ufrag}:{self.ufrag}",
            password or self.media.ice_pwd,
            use_candidate=True,
            controlling=1,
        )
        self.send(request)
        return transaction

    async def checked(self, **changed: str) -> stun.Message:
        """Check and await the answer."""
        transaction = self.check(**changed)
        async with asyncio.timeout(WAIT_S):
            while True:
                answer = stun.parse(await self.stun.get())
                if answer.transaction == transaction:
                    return answer

    async def connect(self, description: str) -> None:
        """ICE, then DTLS."""
        self.aim(description)
        await self.checked()
        await self.handshake()

    async def handshake(self) -> None:
        self.dtls = Dtls(self.feed, self.certificate, server=False)
        async with asyncio.timeout(WAIT_S):
            assert await self.dtls.handshake(
                [(f.algorithm, f.value) for f in self.media.fingerprints]
            )
        self.receiving, self.sending = keyed(self.dtls)

    def packet(self, sequence: int, payload: bytes = DELTA, ssrc: int = SSRC) -> bytes:
        return rtp.build(
            payload + bytes(50),
            payload_type=96,
            sequence=sequence & 0xFFFF,
            timestamp=sequence * 3000 & 0xFFFF_FFFF,
            ssrc=ssrc,
            marker=1,
        )

    def send_rtp(self, packet: bytes) -> bytes:
        """Protect and send; the protected bytes."""
        assert self.sending is not None
        protected = self.sending.protect_rtp(packet)
        assert protected is not None
        self.send(protected)
        return protected

    def send_rtcp(self, packet: bytes) -> None:
        assert self.sending is not None
        protected = self.sending.protect_rtcp(packet)
        assert protected is not None
        self.send(protected)

    def keys(self) -> Cipher:
        assert self.receiving is not None
        return self.receiving

    async def rtp(self) -> rtp.Packet:
        """The next RTP packet, decrypted."""
        async with asyncio.timeout(WAIT_S):
            while True:
                data = await self.srtp.get()
                if not 192 <= data[1] <= 223:
                    plain = self.keys().unprotect_rtp(data)
                    assert plain is not None
                    return rtp.parse(plain)

    async def rtcp(self) -> bytes:
        """The next RTCP packet, decrypted."""
        async with asyncio.timeout(WAIT_S):
            while True:
                data = await self.srtp.get()
                if 192 <= data[1] <= 223:
                    plain = self.keys().unprotect_rtcp_copy(data)
                    assert plain is not None
                    return plain
