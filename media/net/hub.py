"""From datagrams to Transports: by first byte, then by ufrag (STUN) or source address.

Nothing but STUN is accepted from an address that has not passed an integrity-checked request.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from media.drops import DropReason, Drops
from media.net.address import decode
from media.net.arena import SLOT_BYTES
from media.net.egress import Destination
from media.net.srtp import drop_reason, new_length, unprotect
from media.net.udp import UdpPort, open_socket
from media.wire import rtp, stun

if TYPE_CHECKING:
    from media.net.transport import Transport

TAKEOVER_AFTER_S = 3.0
"""An address stays with a Transport that was heard this recently."""


class Hub:
    """The Transports behind one UDP port.

    `on_batch_end` is called after each batch, when packets may be forwarded; `clock` gives
    monotonic seconds.
    """

    def __init__(
        self, drops: Drops, clock: Callable[[], float], on_batch_end: Callable[[float], None]
    ) -> None:
        # passed in
        self.drops = drops
        self.clock = clock
        self._on_batch_end = on_batch_end
        # made here
        self._by_ufrag: dict[str, Transport] = {}
        self._by_address: dict[bytes, Transport] = {}
        self._length: Any = new_length()
        self._udp: UdpPort | None = None
        self.received_packets = 0
        self.received_bytes = 0

    def open(self, host: str, port: int, *, batched: bool = True) -> None:
        """Bind the socket. Raises OSError when the address is taken."""
        sock = open_socket(host, port)
        self._udp = UdpPort(sock, self.drops, self._batch, batched=batched)

    def close(self) -> None:
        """Close the socket."""
        if self._udp is not None:
            self._udp.close()

    @property
    def udp(self) -> UdpPort:
        """The open socket."""
        assert self._udp is not None, "open() first"
        return self._udp

    @property
    def transports(self) -> set["Transport"]:
        """Every Transport that is registered."""
        return set(self._by_ufrag.values())

    # registration

    def add(self, ufrag: str, transport: "Transport") -> None:
        """Checks for `ufrag` go to `transport`."""
        self._by_ufrag[ufrag] = transport

    def forget_ufrag(self, ufrag: str) -> None:
        """Checks for `ufrag` mean nothing any more."""
        self._by_ufrag.pop(ufrag, None)

    def remove(self, transport: "Transport") -> None:
        """Forget a Transport's ufrags and addresses."""
        for ufrag in [u for u, t in self._by_ufrag.items() if t is transport]:
            del self._by_ufrag[ufrag]
        for address in list(transport.ice.addresses):
            if self._by_address.get(address) is transport:
                del self._by_address[address]

    def stood_still(self, late_s: float, now: float) -> None:
        """Nothing was read for so long: that was no silence of anybody's."""
        for transport in self.transports:
            transport.stood_still(late_s, now)

    def send(self, destination: Destination, datagram: bytes) -> None:
        """Queue a datagram."""
        if self._udp is not None:
            self._udp.send(destination, datagram)

    # the datagrams

    def _batch(self, count: int) -> None:
        """One batch lies in the ingress arena: hand every datagram to its Transport."""
        now = self.clock()
        receiver = self.udp.receiver
        ingress = self.udp.ingress
        view, pointers, lengths = ingress.view, ingress.pointers, receiver.lengths
        by_address, address_of = self._by_address, receiver.address
        counts, length = self.drops.counts, self._length
        receiver.align(now, time.time())
        arrived_at = receiver.arrived_at
        self.received_packets += count
        for slot in range(count):
            size = lengths[slot]
            self.received_bytes += size
            at = slot * SLOT_BYTES
            first = view[at]
            rtp_like = 12 <= size < SLOT_BYTES and 128 <= first <= 191
            if not rtp_like or 192 <= view[at + 1] <= 223:
                self._other(slot, size, first, now)
                continue
            transport = by_address.get(address_of(slot))
            if transport is None:
                counts[DropReason.UNVERIFIED_ADDRESS] += 1
                continue
            if transport.receiving is None:
                counts[DropReason.NO_KEYS] += 1
                continue
            length[0] = size
            status = unprotect(transport.receiving.context, pointers[slot], length)
            if status:
                counts[drop_reason(status)] += 1
                continue
            self._rtp(transport, view[at : at + length[0]], arrived_at(slot, now))
        self._on_batch_end(now)

    def _rtp(self, transport: "Transport", data: memoryview, now: float) -> None:
        """One authentic packet, copied out of the arena: it will be cached."""
        transport.ice.heard_at = now
        try:
            packet = rtp.parse(bytearray(data))
        except ValueError:
            self.drops.counts[DropReason.RTP_MALFORMED] += 1
            return
        transport.on_rtp(packet, now)

    def _other(self, slot: int, size: int, first: int, now: float) -> None:
        """Everything that is not RTP: rare enough to be copied."""
        if size < 2:
            self.drops.counts[DropReason.TOO_SHORT] += 1
            return
        if size >= SLOT_BYTES or self.udp.receiver.truncated(slot):
            self.drops.counts[DropReason.TRUNCATED] += 1
            return
        address = self.udp.receiver.address(slot)
        at = slot * SLOT_BYTES
        if first <= 3:
            self._stun(bytes(self.udp.ingress.view[at : at + size]), address, now)
            return
        transport = self._by_address.get(address)
        if transport is None:
            self.drops.counts[DropReason.UNVERIFIED_ADDRESS] += 1
        elif 20 <= first <= 63:
            transport.feed.put(bytes(self.udp.ingress.view[at : at + size]))
        elif 128 <= first <= 191 and size >= 8:
            self._rtcp(transport, slot, size, now)
        else:
            self.drops.counts[DropReason.UNKNOWN_PROTOCOL] += 1

    def _rtcp(self, transport: "Transport", slot: int, size: int, now: float) -> None:
        if transport.receiving is None:
            self.drops.counts[DropReason.NO_KEYS] += 1
            return
        got = transport.receiving.unprotect_rtcp(self.udp.ingress.pointers[slot], size)
        if got < 0:
            self.drops.counts[drop_reason(-got)] += 1
            return
        transport.ice.heard_at = now
        at = slot * SLOT_BYTES
        transport.on_rtcp(bytes(self.udp.ingress.view[at : at + got]), now)

    # STUN

    def _stun(self, data: bytes, address: bytes, now: float) -> None:
        try:
            message = stun.parse(data)
            ours, _theirs = stun.split_username(message.username or "")
        except ValueError:
            self.drops.counts[DropReason.STUN_MALFORMED] += 1
            return
        if not message.is_request:
            self.drops.counts[DropReason.STUN_UNEXPECTED] += 1
            return
        transport = self._by_ufrag.get(ours)
        password = transport.ice.password(ours) if transport is not None else None
        if transport is None or password is None:
            self.drops.counts[DropReason.STUN_UNKNOWN_USER] += 1
        elif not stun.authentic(message, password):
            self.drops.counts[DropReason.STUN_INTEGRITY] += 1
        elif self._taken(address, transport, now):
            self.drops.counts[DropReason.STUN_ADDRESS_TAKEN] += 1
        else:
            self._answer(message, transport, password, ours, address, now)

    def _taken(self, address: bytes, transport: "Transport", now: float) -> bool:
        """Whether the address belongs to another Transport that is alive."""
        owner = self._by_address.get(address)
        if owner is None or owner is transport or owner.ice.heard_at is None:
            return False
        return now - owner.ice.heard_at < TAKEOVER_AFTER_S

    def _answer(
        self,
        message: stun.Message,
        transport: "Transport",
        password: str,
        ours: str,
        address: bytes,
        now: float,
    ) -> None:
        destination = Destination(address)
        if message.controlled is not None:  # we are lite, so never controlling
            error = stun.binding_error(message.transaction, stun.ROLE_CONFLICT, password)
            self.send(destination, error)
            return
        old = self._by_address.get(address)
        if old is not None and old is not transport:
            old.address_lost(address)
        self._by_address[address] = transport
        for gone in transport.checked(address, ours, message.use_candidate, now):
            self._by_address.pop(gone, None)
        answer = stun.binding_success(message.transaction, decode(address), password)
        self.send(destination, answer)
