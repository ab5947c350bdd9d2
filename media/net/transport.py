"""One ICE + DTLS association and what it carries: SRTP both ways, RTCP, data channels.

A Transport never ends because of a datagram. It ends when its owner closes it, when the peer says
goodbye inside DTLS, or when nothing authentic came for too long (`tick`).
"""

import asyncio
import logging
from typing import Final, Protocol

from aiortc.rtcdatachannel import RTCDataChannel

from media.drops import DropReason
from media.flow.bandwidth import SendHistory
from media.net.data import MAX_MESSAGE_BYTES, DataTransport
from media.net.dtls import Certificate, Dtls, Feed
from media.net.egress import Destination
from media.net.hub import Hub
from media.net.ice import Credentials, IceLite
from media.net.srtp import Cipher, keyed
from media.wire import rtp

CONSENT_TIMEOUT_S: Final = 7.0
"""Browsers check every 5 s at the latest (RFC 7675: 4 to 6 s apart), libwebrtc every 2.5 s."""
CONNECT_TIMEOUT_S: Final = 30.0
HANDSHAKE_ATTEMPTS: Final = 3
STOP_TIMEOUT_S: Final = 2.0

logger = logging.getLogger(__name__)


class Listener(Protocol):
    """Who owns a Transport."""

    def transport_connected(self, transport: "Transport") -> None:
        """ICE and DTLS are done."""

    def transport_lost(self, transport: "Transport", reason: str) -> None:
        """The association ended; called once, and never after `close`."""

    def rtp_received(self, packet: rtp.Packet, now: float) -> None:
        """An authentic RTP packet."""

    def rtcp_received(self, data: bytes, now: float) -> None:
        """An authentic compound RTCP packet, not yet parsed."""

    def channel_opened(self, channel: RTCDataChannel) -> None:
        """The peer opened a data channel."""


class Transport:
    """One association with a browser. Made on the loop's thread; `close` it."""

    def __init__(self, hub: Hub, certificate: Certificate, listener: Listener) -> None:
        # passed in
        self._hub = hub
        self._certificate = certificate
        self._listener = listener
        # made here
        self.ice = IceLite()
        self.feed = Feed(self.send, hub.drops)
        self.destination: Destination | None = None
        """Where packets go; None before the first good check."""
        self.history: SendHistory | None = None
        """Set while outgoing packets carry transport-wide numbers."""
        self.receiving: Cipher | None = None
        self.sending: Cipher | None = None
        self.data: DataTransport | None = None
        self.state = "new"
        """new, connecting, connected, lost or closed."""
        self.on_rtp = listener.rtp_received
        self.on_rtcp = listener.rtcp_received
        self._created_at = hub.clock()
        self._dtls: Dtls | None = None
        self._sctp: tuple[int, int] | None = None
        self._verified = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._data_task: asyncio.Task[None] | None = None
        hub.add(self.ice.local.ufrag, self)

    # addresses

    def checked(self, address: bytes, ufrag: str, nominate: bool, now: float) -> list[bytes]:
        """The hub saw a good check from `address`; returns addresses given up."""
        stale = self.ice.previous
        gone = self.ice.checked(address, ufrag, nominate, now)
        if stale is not None and self.ice.previous is None:
            self._hub.forget_ufrag(stale.ufrag)
        selected = self.ice.selected
        if selected is not None and (self.destination is None or self.destination.raw != selected):
            self.destination = Destination(selected)
        self._verified.set()
        return gone

    def address_lost(self, address: bytes) -> None:
        """Another Transport took over an address of this silent one."""
        self.ice.addresses.pop(address, None)
        if self.ice.selected == address:
            self.ice.selected = None
            self.destination = None

    def restart_ice(self) -> Credentials:
        """A new ufrag and password; checks with the old ones work until the new ones are used."""
        if self.ice.previous is not None:
            self._hub.forget_ufrag(self.ice.previous.ufrag)
        fresh = self.ice.restart()
        self._hub.add(fresh.ufrag, self)
        return fresh

    # sending

    def send(self, datagram: bytes) -> None:
        """Queue a ready datagram to the selected address."""
        if self.destination is not None:
            self._hub.send(self.destination, datagram)

    def send_rtcp(self, packet: bytes) -> None:
        """Protect and queue a compound RTCP packet; dropped and counted before keys."""
        if self.sending is None:
            self._hub.drops.counts[DropReason.NO_KEYS] += 1
            return
        protected = self.sending.protect_rtcp(packet)
        if protected is None:
            self._hub.drops.counts[DropReason.PROTECT_FAILED] += 1
        else:
            self.send(protected)

    # life

    @property
    def connected(self) -> bool:
        """Whether media can flow."""
        return self.state == "connected"

    @property
    def dtls_server(self) -> bool | None:
        """Our DTLS role, None before `start`."""
        return self._dtls.is_server if self._dtls is not None else None

    def start(self, fingerprints: list[tuple[str, str]], *, server: bool) -> None:
        """Begin the DTLS handshake with a peer that must prove one of `fingerprints`."""
        if self._task is not None or self.state != "new":
            return
        self.state = "connecting"
        self._task = asyncio.create_task(self._run(fingerprints, server), name="transport")

    def use_data(self, remote_port: int, remote_max_message_bytes: int) -> None:
        """Carry data channels as soon as connected; the SDP negotiated SCTP."""
        if self._sctp is None:
            self._sctp = (remote_port, remote_max_message_bytes or MAX_MESSAGE_BYTES)
            if self._dtls is not None and self.connected:
                self._data_task = asyncio.create_task(self._start_data(self._dtls))

    async def _run(self, fingerprints: list[tuple[str, str]], server: bool) -> None:
        """From the first good check to the end of the association."""
        await self._verified.wait()  # as all of this, bounded by `tick`
        dtls = await self._handshake(fingerprints, server)
        if dtls is None:
            self._lose("handshake failed")
            return
        self.receiving, self.sending = keyed(dtls)
        self.state = "connected"
        if self._sctp is not None:
            await self._start_data(dtls)
        self._listener.transport_connected(self)
        if dtls.pump is not None:
            await asyncio.wait([dtls.pump])
        self._lose("closed by peer")

    async def _handshake(self, fingerprints: list[tuple[str, str]], server: bool) -> Dtls | None:
        for _attempt in range(HANDSHAKE_ATTEMPTS):
            dtls = Dtls(self.feed, self._certificate, server=server)
            self._dtls = dtls
            if await dtls.handshake(fingerprints):
                return dtls
            logger.debug("DTLS handshake failed, attempt %d", _attempt + 1)
        return None

    async def _start_data(self, dtls: Dtls) -> None:
        assert self._sctp is not None
        if self.data is None:
            self.data = DataTransport(dtls, self._hub.drops, self._listener.channel_opened)
            await self.data.start(*self._sctp)

    def tick(self, now: float) -> None:
        """Notice silence: nothing authentic for the consent timeout, or no connection at all."""
        if self.state in ("lost", "closed"):
            return
        heard_at = self.ice.heard_at
        if heard_at is not None and now - heard_at > CONSENT_TIMEOUT_S:
            self._lose("silent")
        elif not self.connected and now - self._created_at > CONNECT_TIMEOUT_S:
            self._lose("never connected")

    def stood_still(self, late_s: float, now: float) -> None:
        """Nothing was read for so long: that was no silence of the peer's."""
        self._created_at = min(self._created_at + late_s, now)
        if self.ice.heard_at is not None:
            self.ice.heard_at = min(self.ice.heard_at + late_s, now)

    def _lose(self, reason: str) -> None:
        if self.state in ("lost", "closed"):
            return
        self.state = "lost"
        self._listener.transport_lost(self, reason)

    async def close(self) -> None:
        """Say goodbye where possible and free everything; safe to call twice."""
        if self.state == "closed":
            return
        said_hello = self.connected
        self.state = "closed"
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await self._stop(said_hello)
        except TimeoutError:
            logger.warning("a transport took longer than %s s to stop", STOP_TIMEOUT_S)
        self._hub.remove(self)
        self.receiving = self.sending = None

    async def _stop(self, said_hello: bool) -> None:
        if self.data is not None:
            await self.data.stop()
        if self._dtls is not None and said_hello:
            await self._dtls.stop()
        self.feed.close()
        for task in (self._data_task, self._task):
            if task is not None and task is not asyncio.current_task():
                task.cancel()
                await asyncio.wait([task])
