"""DTLS by aiortc, fed through a small object; the only file that knows aiortc's DTLS inside.

aiortc's transport expects an ICE transport with `_recv`, `_send`, `role` and `state`. `Feed` is
that, and hands on nothing that could hurt: no empty datagram, one record at a time, no plaintext
alert, a bounded queue.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from aiortc.rtcdtlstransport import (
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
    SRTPProtectionProfile,
    State,
)
from OpenSSL import SSL

from media.drops import DropReason, Drops
from media.net.srtp import PROFILES

MAX_PENDING: Final = 32
"""Records kept before the handshake is done."""
MAX_QUEUED: Final = 512
"""Records kept afterwards: half a megabyte of data channel."""
RECORDS_PER_TURN: Final = 16
"""Records handled before the loop's other work gets its turn."""
RECORD_HEADER_BYTES: Final = 13
_ALERT: Final = 21
_CIPHERS: Final = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    b"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    b"ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA"
)
"""aiortc's, and the same for peers with RSA certificates."""


class Certificate(RTCCertificate):
    """The process's DTLS identity; one OpenSSL context serves every Transport."""

    _context: SSL.Context | None = None

    def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        if self._context is None:
            context = super()._create_ssl_context(srtp_profiles)
            context.set_cipher_list(_CIPHERS)
            self._context = context
        return self._context

    def fingerprint(self) -> tuple[str, str]:
        """(algorithm, value) for the SDP."""
        first = next(f for f in self.getFingerprints() if f.algorithm == "sha-256")
        return first.algorithm, first.value


def records(datagram: bytes) -> list[bytes] | None:
    """The DTLS records in a datagram, None when it is not made of whole ones (RFC 6347 4.1)."""
    found, at, end = [], 0, len(datagram)
    while at < end:
        if at + RECORD_HEADER_BYTES > end:
            return None
        stop = at + RECORD_HEADER_BYTES + int.from_bytes(datagram[at + 11 : at + 13], "big")
        if stop > end or not 20 <= datagram[at] <= 63:
            return None
        found.append(datagram[at:stop])
        at = stop
    return found


class Feed:
    """Stands where aiortc expects its ICE transport."""

    def __init__(self, send: Callable[[bytes], None], drops: Drops) -> None:
        # passed in
        self._transmit = send
        self._drops = drops
        # made here
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._closed = False
        self._turn = 0
        self.limit = MAX_PENDING
        self.role = "controlled"
        self.state = "completed"

    def put(self, datagram: bytes) -> None:
        """Queue the records of a datagram from a verified address."""
        found = records(datagram)
        if not found:
            self._drops.counts[DropReason.DTLS_MALFORMED] += 1
            return
        for record in found:
            # An alert of epoch 0 is not authenticated: anyone on the path could have written it.
            if record[0] == _ALERT and record[3:5] == b"\0\0":
                self._drops.counts[DropReason.DTLS_PLAIN_ALERT] += 1
            elif self._closed or self._queue.qsize() >= self.limit:
                self._drops.counts[DropReason.DTLS_QUEUE_FULL] += 1
            else:
                self._queue.put_nowait(record)

    def close(self) -> None:
        """Wake whoever waits in `_recv` with ConnectionError."""
        if not self._closed:
            self._closed = True
            self._queue.put_nowait(None)

    async def _recv(self) -> bytes:
        self._turn += 1
        if self._turn % RECORDS_PER_TURN == 0:
            await asyncio.sleep(0)
        record = await self._queue.get()
        if record is None:
            self._queue.put_nowait(None)
            raise ConnectionError("transport closed")
        return record

    async def _send(self, data: bytes) -> None:
        self._transmit(data)


class Dtls(RTCDtlsTransport):
    """One DTLS association that exports SRTP keys and carries SCTP packets."""

    def __init__(self, feed: Feed, certificate: Certificate, *, server: bool) -> None:
        super().__init__(feed, [certificate])  # type: ignore[arg-type]
        self._set_role("server" if server else "client")
        self._srtp_profiles = PROFILES
        self._feed = feed

    async def handshake(self, fingerprints: list[tuple[str, str]]) -> bool:
        """Run the handshake; True when the peer proved one of its fingerprints."""
        parameters = RTCDtlsParameters(
            fingerprints=[RTCDtlsFingerprint(algorithm=a, value=v) for a, v in fingerprints]
        )
        await self.start(parameters)
        if self._state is not State.CONNECTED:
            return False
        self._feed.limit = MAX_QUEUED
        return True

    async def _send_data(self, data: bytes) -> None:
        """What SCTP sends after the end is lost, as on any network, instead of raising."""
        if self._state is not State.CONNECTED or self._ssl is None:
            return
        try:
            self._ssl.send(data)
        except SSL.Error:
            return
        await self._write_ssl()

    @property
    def is_server(self) -> bool:
        """Whether we waited for the peer's ClientHello."""
        return bool(self._role == "server")

    @property
    def pump(self) -> "asyncio.Future[None] | None":
        """The task that reads records after the handshake; it ends with the association."""
        return self._task
