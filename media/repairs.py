"""What a Consumer sends a second time: packets asked for again, and padding that probes."""

import secrets
from typing import TYPE_CHECKING, Any, Final

from media.batch import Entry
from media.drops import DropReason
from media.net.arena import SLOT_BYTES
from media.net.egress import Egress
from media.net.srtp import new_length, protect
from media.net.transport import Transport
from media.wire import extensions, rtp

if TYPE_CHECKING:
    from media.consumer import Consumer

RESEND_MEMORY: Final = 512
RESEND_SPACING_S: Final = 0.02
"""A NACK repeated faster than this crosses the packet on its way."""
PADDING_PACKETS: Final = 64
"""At most so many at once."""


class Repairs:
    """Of one Consumer."""

    def __init__(self, consumer: "Consumer", transport: Transport, egress: Egress) -> None:
        # passed in
        self._consumer = consumer
        self._transport = transport
        self._egress = egress
        # made here
        self.payload_type: int | None = None
        """Of retransmissions, where they were negotiated (RFC 4588)."""
        self.ssrc = secrets.randbelow(0xFFFF_FFFE) + 1
        self._sequence = secrets.randbelow(0x8000)
        self._resent: dict[int, float] = {}
        self._length: Any = new_length()
        self.sent = 0

    def answer(self, wanted: tuple[int, ...], now: float) -> None:
        """Answer a NACK from the cache: as rtx where negotiated, else once more as it was."""
        consumer = self._consumer
        for out in wanted:
            if now - self._resent.get(out, -1.0) < RESEND_SPACING_S:
                continue
            found = consumer.sequences.unmap(out)
            current = consumer.current
            if found is None or current is None or found[0] != current.rank:
                continue
            entry = current.cached(found[1], now)
            if entry is not None:
                self._remember(out, now)
                self._send(entry, out, now)

    def pad(self, size_bytes: int, now: float) -> int:
        """Send that much of what was sent lately once more, as padding; bytes really sent."""
        consumer, done = self._consumer, 0
        current = consumer.current
        if self.payload_type is None or current is None:
            return 0
        newest = consumer.sequences.next_out - 1
        for back in range(PADDING_PACKETS):
            found = consumer.sequences.unmap(newest - back & 0xFFFF)
            if done >= size_bytes or found is None or found[0] != current.rank:
                break
            entry = current.cached(found[1], now)
            if entry is not None:
                self._send(entry, newest - back & 0xFFFF, now)
                done += entry.packet.end
        return done

    def _remember(self, out: int, now: float) -> None:
        if len(self._resent) >= RESEND_MEMORY:
            self._resent.clear()
        self._resent[out] = now

    def _send(self, entry: Entry, out: int, now: float) -> None:
        sending, destination = self._transport.sending, self._transport.destination
        if sending is None or destination is None:
            return
        packet, egress = entry.packet, self._egress
        slot = egress.room(1)
        at, size = slot * SLOT_BYTES, packet.end
        self._consumer.write(entry, at, out, now, packet.marker)
        self._stamp(entry, at, size, now)
        if self.payload_type is not None:
            size = self._wrap(packet, at, size, out)
        self._length[0] = size
        if protect(sending.context, egress.pointers[slot], self._length):
            self._consumer.drops.counts[DropReason.PROTECT_FAILED] += 1
            return
        egress.lengths[slot] = self._length[0]
        egress.commit(destination, slot + 1)
        self.sent += 1

    def _stamp(self, entry: Entry, at: int, size: int, now: float) -> None:
        """Number and time of the copy at `at`, which leaves alone."""
        view, history = self._egress.view, self._transport.history
        stamp = extensions.abs_send_time(now)
        extensions.write_abs_send_time(view, at + entry.room.time_at, stamp)
        if history is not None:
            entry.room.number(view, at, history.sent(size, now))

    def _wrap(self, packet: rtp.Packet, at: int, size: int, out: int) -> int:
        """Turn the copy at `at` into a retransmission (RFC 4588 section 4); its new size."""
        assert self.payload_type is not None
        view, split = self._egress.view, at + packet.payload_offset
        view[split + 2 : at + size + 2] = bytes(view[split : at + size])
        view[split : split + 2] = out.to_bytes(2, "big")
        self._sequence = (self._sequence + 1) & 0xFFFF
        timestamp = packet.timestamp + self._consumer.timestamp_offset & 0xFFFF_FFFF
        rtp.patch_header(
            view, at, self.payload_type, self._sequence, timestamp, self.ssrc, packet.marker
        )
        return size + 2
