"""Requests about calls, and signals between two clients."""

from typing import Annotated, Any, Literal

import msgspec

CallId = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
UserId = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]


class CallInvite(msgspec.Struct, frozen=True, kw_only=True):
    """`call:invite`: ring the others. The same `client_id` gives the same call."""

    conversation: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    media: Literal["audio", "video"]
    client_id: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]


class CallAct(msgspec.Struct, frozen=True, kw_only=True):
    """`call:accept`, `decline`, `cancel`, `hangup`. Declining with reason `busy` says so."""

    call: CallId
    reason: Annotated[str, msgspec.Meta(max_length=64)] | None = None


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
