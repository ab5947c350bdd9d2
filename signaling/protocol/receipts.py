"""Requests that move watermarks, and ask for them."""

import msgspec

from signaling.protocol.fields import ConversationKey, Seq


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """`receipt:delivered` and `receipt:read`: up to and including `seq`."""

    conversation: ConversationKey
    seq: Seq


class GetReceipts(msgspec.Struct, frozen=True, kw_only=True):
    """`receipt:get`: how many have it, and in small conversations who."""

    conversation: ConversationKey
    seq: Seq
