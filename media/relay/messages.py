"""Application messages of a Room: what one Participant writes, the others get with its id."""

import logging
from typing import Final

from aiortc.rtcdatachannel import RTCDataChannel

from media.relay import frames

log = logging.getLogger(__name__)

RELIABLE: Final = "data"
LOSSY: Final = "data-lossy"
LABELS: Final = (RELIABLE, LOSSY)
PAYLOAD_MAX_BYTES: Final = 32 * 1024
LOSSY_BUFFERED_MAX_BYTES: Final = 64 * 1024
"""A lossy message is dropped for a receiver that has this much waiting."""
RELIABLE_BUFFERED_MAX_BYTES: Final = 1024 * 1024
"""A receiver this far behind loses its channel: it is cut, not fed."""
RATE_BYTES_PER_S: Final = 512 * 1024
BURST_BYTES: Final = 1024 * 1024
MESSAGE_COST_BYTES: Final = 256
"""What a message costs besides its bytes, so that tiny ones are bounded too."""


class Budget:
    """A token bucket over bytes; `now` in seconds, monotonic."""

    def __init__(self, now: float) -> None:
        self._left = float(BURST_BYTES)
        self._at = now

    def take(self, size_bytes: int, now: float) -> bool:
        """Whether that much may pass now."""
        self._left = min(BURST_BYTES, self._left + (now - self._at) * RATE_BYTES_PER_S)
        self._at = now
        cost = size_bytes + MESSAGE_COST_BYTES
        if self._left < cost:
            return False
        self._left -= cost
        return True


class Outlets:
    """One Participant's two channels on `subscribe`, as far as they are open."""

    def __init__(self) -> None:
        self._channels: dict[str, RTCDataChannel] = {}

    def put(self, channel: RTCDataChannel) -> None:
        """Use this channel for its label from now on."""
        self._channels[channel.label] = channel

    def send(self, label: str, message: bytes | str, size_bytes: int) -> bool:
        """Pass a message on; False when it was dropped."""
        channel = self._channels.get(label)
        if channel is None or channel.readyState != "open":
            return False
        limit = LOSSY_BUFFERED_MAX_BYTES if label == LOSSY else RELIABLE_BUFFERED_MAX_BYTES
        if channel.bufferedAmount + size_bytes > limit:
            if label == RELIABLE:
                channel.close()
                del self._channels[label]
            return False
        channel.send(message)
        return True


def sized(message: bytes | str) -> int:
    """Bytes of a message on the wire."""
    return len(message) if isinstance(message, bytes) else len(message.encode())


def relayed(participant: str, message: bytes | str) -> bytes | str:
    """What the others get."""
    if isinstance(message, str):
        return frames.text_message(participant, message)
    return frames.pack_message(participant, message)
