"""Requests about calls, and signals between two clients."""

from typing import Annotated, Any, Literal

import msgspec

from signaling.protocol.fields import NO_ZERO, ClientId, ConversationKey, Limit, UserId

CallId = Annotated[str, msgspec.Meta(min_length=1, max_length=256, pattern=NO_ZERO)]


class CallInvite(msgspec.Struct, frozen=True, kw_only=True):
    """`call:invite`: ring the others. The same `client_id` gives the same call."""

    conversation: ConversationKey
    media: Literal["audio", "video"]
    client_id: ClientId


class CallAct(msgspec.Struct, frozen=True, kw_only=True):
    """`call:accept`, `decline`, `cancel`, `hangup`. Declining with reason `busy` says so."""

    call: CallId
    reason: Annotated[str, msgspec.Meta(max_length=64)] | None = None


class ListCalls(msgspec.Struct, frozen=True, kw_only=True):
    """`call:list`: those that are over, of one's conversations, newest first; `before` is the
    `next` of the page before.
    """

    before: str | None = None
    limit: Limit = 50


class SignalTo(msgspec.Struct, frozen=True, kw_only=True):
    """A User, or one of their Devices."""

    user: UserId
    device: Annotated[str, msgspec.Meta(min_length=1, max_length=128)] | None = None


class SignalSend(msgspec.Struct, frozen=True, kw_only=True):
    """`signal:send`: an offer, answer or candidate for another client, relayed as it is."""

    to: SignalTo
    call: CallId | None = None
    description: dict[str, Any] | None = None
    candidate: dict[str, Any] | None = None
