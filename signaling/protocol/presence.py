"""Requests about presence and typing."""

from typing import Annotated, Literal

import msgspec

UserId = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]


class PresenceSet(msgspec.Struct, frozen=True, kw_only=True):
    """`presence:set`: how others should see this user. `text` absent leaves it, empty clears it."""

    status: Literal["online", "away", "busy", "invisible"]
    text: Annotated[str, msgspec.Meta(max_length=200)] | None = None


class PresenceWatch(msgspec.Struct, frozen=True, kw_only=True):
    """`presence:watch`: their presence now, and `presence:changed` from then on."""

    users: Annotated[list[UserId], msgspec.Meta(max_length=200)]


class PresenceUnwatch(msgspec.Struct, frozen=True, kw_only=True):
    """`presence:unwatch`."""

    users: Annotated[list[UserId], msgspec.Meta(max_length=1000)]


class PresencePrivacy(msgspec.Struct, frozen=True, kw_only=True):
    """`presence:privacy`: who sees this user's status, and when they were last here. Absent leaves
    one as it is, null goes back to what the app says.
    """

    status: Literal["everyone", "shared", "nobody"] | msgspec.UnsetType | None = msgspec.UNSET
    """`shared`: those who have a conversation in common."""
    last_seen: Literal["everyone", "nobody"] | msgspec.UnsetType | None = msgspec.UNSET


class TypingSet(msgspec.Struct, frozen=True, kw_only=True):
    """`typing:set`: say `on` again every few seconds while it goes on; it ends by itself."""

    conversation: str
    on: bool
