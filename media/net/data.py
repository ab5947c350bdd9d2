"""SCTP and data channels by aiortc; the only file that knows aiortc's SCTP inside.

`DataTransport` keeps what a peer can do to aiortc within its own association: malformed chunks are
counted, and a peer that overruns the window it was given loses its channels.
"""

import struct
from collections.abc import Callable
from typing import Final

from aiortc.rtcdatachannel import RTCDataChannel, RTCDataChannelParameters
from aiortc.rtcsctptransport import RTCSctpCapabilities, RTCSctpTransport

from media.drops import DropReason, Drops
from media.net.dtls import Dtls

MAX_MESSAGE_BYTES: Final = 65_536
"""Announced as max-message-size (RFC 8841)."""
SCTP_PORT: Final = 5000
RECEIVE_WINDOW_BYTES: Final = 384 * 1024
"""What a peer may have in flight. It must fit the queue before DTLS (dtls.MAX_QUEUED records), or
a fast sender loses packets there; aiortc's own 1 MiB does not."""
MAX_CHANNELS: Final = 64
_OVERRUN_BYTES: Final = 256 * 1024
"""How far below zero the receive window may go: what was in flight when it closed."""
_MALFORMED: Final = (
    ValueError,
    AssertionError,
    IndexError,
    KeyError,
    TypeError,
    AttributeError,
    struct.error,
)
"""What aiortc's SCTP raises on chunks that lie."""


class DataTransport:
    """The data channels of one Transport. `on_channel` gets those the peer opens."""

    def __init__(
        self, dtls: Dtls, drops: Drops, on_channel: Callable[[RTCDataChannel], None]
    ) -> None:
        # passed in
        self._dtls = dtls
        self._drops = drops
        self._on_channel = on_channel
        # made here
        self.sctp = RTCSctpTransport(dtls, SCTP_PORT)
        self.sctp._advertised_rwnd = RECEIVE_WINDOW_BYTES
        self.sctp.on("datachannel", self._opened)
        self._stopped = False

    async def start(self, remote_port: int, remote_max_message_bytes: int) -> None:
        """Start the association over a connected DTLS transport."""
        limit = min(remote_max_message_bytes or MAX_MESSAGE_BYTES, MAX_MESSAGE_BYTES)
        await self.sctp.start(RTCSctpCapabilities(maxMessageSize=limit), remote_port)
        # Every packet passes here first: see `_handle_data`.
        self._dtls._unregister_data_receiver(self.sctp)
        self._dtls._register_data_receiver(self)

    async def stop(self) -> None:
        """Abort the association; channels close."""
        if not self._stopped:
            self._stopped = True
            self._dtls._unregister_data_receiver(self)
            await self.sctp.stop()

    def open(
        self, label: str, *, ordered: bool = True, max_retransmits: int | None = None
    ) -> RTCDataChannel:
        """Open a channel towards the peer; it may be written once its `readyState` is open."""
        return RTCDataChannel(
            self.sctp,
            RTCDataChannelParameters(label=label, ordered=ordered, maxRetransmits=max_retransmits),
        )

    def _opened(self, channel: RTCDataChannel) -> None:
        if len(self.sctp._data_channels) > MAX_CHANNELS:
            channel.close()
        else:
            self._on_channel(channel)

    async def _handle_data(self, data: bytes) -> None:
        """One SCTP packet from the peer."""
        try:
            await self.sctp._handle_data(data)
        except _MALFORMED:
            self._drops.counts[DropReason.SCTP_MALFORMED] += 1
        if self.sctp._advertised_rwnd < -_OVERRUN_BYTES:
            self._drops.counts[DropReason.SCTP_MALFORMED] += 1
            await self.stop()
