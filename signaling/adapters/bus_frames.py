"""What nodes send each other through Redis: signed, numbered, and bound to their channel.

frame = HMAC-SHA256(key, channel, 0, payload) | payload, where
payload = MessagePack of (sender, count, body).
"""

import hmac
from collections import OrderedDict
from typing import Any

import msgspec

from signaling.ports import Hint

MAC_BYTES = 32
SENDERS_MAX = 1_000


class HintBody(msgspec.Struct, frozen=True, tag="hint", array_like=True):
    """For every Connection that listens to the channel's topic."""

    hint: Hint


class AskBody(msgspec.Struct, frozen=True, tag="ask", array_like=True):
    """A request to the node whose channel this is."""

    id: str
    reply_to: str
    verb: str
    body: dict[str, Any]


class ReplyBody(msgspec.Struct, frozen=True, tag="reply", array_like=True):
    """The answer: fields, or an error as on the wire."""

    id: str
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None


Body = HintBody | AskBody | ReplyBody


class Forged(ValueError):
    """Not signed under our key, for another channel, or seen before."""


class Unsealable(ValueError):
    """What MessagePack has no form for: an integer beyond 64 bits, a value of no such type."""


class Frames:
    """Seals and opens the frames of one node. `sender` is this run of it."""

    def __init__(self, key: bytes, sender: str) -> None:
        # passed in
        self._key = key
        self.sender = sender
        # made here
        self._count = 0
        self._seen: OrderedDict[str, int] = OrderedDict()
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(tuple[str, int, Body])

    def seal(self, channel: bytes, body: Body) -> bytes:
        """A frame for `channel`; frames must leave in the order they were sealed. Raises
        Unsealable.
        """
        try:
            payload = self._encoder.encode((self.sender, self._count + 1, body))
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise Unsealable(str(error)) from error
        self._count += 1
        return self._mac(channel, payload) + payload

    def open(self, channel: bytes, frame: bytes) -> Body | None:
        """The body, or None for a frame of our own. Raises Forged."""
        mac, payload = frame[:MAC_BYTES], frame[MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(channel, payload)):
            raise Forged("wrong signature")
        try:
            sender, count, body = self._decoder.decode(payload)
        except msgspec.DecodeError as error:
            raise Forged("signed, but not a frame") from error
        if sender == self.sender:
            return None
        if count <= self._seen.get(sender, 0):
            raise Forged("seen before")
        self._seen[sender] = count
        self._seen.move_to_end(sender)
        if len(self._seen) > SENDERS_MAX:
            self._seen.popitem(last=False)
        return body

    def _mac(self, channel: bytes, payload: bytes) -> bytes:
        return hmac.digest(self._key, channel + b"\0" + payload, "sha256")
