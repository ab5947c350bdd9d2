"""Requests about conversations and their members."""

from typing import Annotated, Any, Literal

import msgspec

from signaling.model import ConversationType, Role
from signaling.protocol.fields import (
    Alias,
    ClientId,
    ConversationKey,
    Days,
    Duration,
    Limit,
    Milliseconds,
    Title,
    UserId,
)

History = Literal["start", "joining"]
"""From where new members see the log."""


class CreateConversation(msgspec.Struct, frozen=True, kw_only=True):
    """`conversation:create`. A direct one names one other user; that pair has only one."""

    type: ConversationType
    client_id: ClientId
    members: Annotated[list[UserId], msgspec.Meta(max_length=500)] = []
    title: Title | None = None
    alias: Alias | None = None
    open: bool = False
    history: History = "start"


class ListConversations(msgspec.Struct, frozen=True, kw_only=True):
    """`conversation:list`: the latest active first; `after` is the `next` of the page before."""

    after: str | None = None
    limit: Limit = 50


class GetConversation(msgspec.Struct, frozen=True, kw_only=True):
    """`conversation:get`."""

    conversation: ConversationKey


class UpdateConversation(msgspec.Struct, frozen=True, kw_only=True):
    """`conversation:update`: only the fields given change; null clears."""

    conversation: ConversationKey
    title: Title | msgspec.UnsetType | None = msgspec.UNSET
    alias: Alias | msgspec.UnsetType | None = msgspec.UNSET
    open: bool | msgspec.UnsetType = msgspec.UNSET
    history: History | msgspec.UnsetType = msgspec.UNSET
    slow_mode_ms: Duration | msgspec.UnsetType = msgspec.UNSET
    retention_days: Days | msgspec.UnsetType = msgspec.UNSET
    """Messages are blanked after so many days, or earlier if the app says so; 0 for as it says."""
    """Least time between two messages of one member; 0 for none."""
    recall_limit_ms: Duration | msgspec.UnsetType = msgspec.UNSET
    """How long a sender may recall or edit; 0 for ever."""
    attributes: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    """The app's own."""


class JoinConversation(msgspec.Struct, frozen=True, kw_only=True):
    """`conversation:join` an open one by id or alias, or any by an invitation."""

    conversation: ConversationKey | None = None
    alias: Alias | None = None
    invite: str | None = None
    create: bool = False
    """Make an open group of this alias if there is none."""
    title: Title | None = None


class LeaveConversation(msgspec.Struct, frozen=True, kw_only=True):
    """`conversation:leave`."""

    conversation: ConversationKey


class ArchiveConversation(msgspec.Struct, frozen=True, kw_only=True):
    """`conversation:archive`: out of one's own way, or for all, after which nobody writes."""

    conversation: ConversationKey
    archived: bool = True
    scope: Literal["me", "all"] = "me"


class PreferConversation(msgspec.Struct, frozen=True, kw_only=True):
    """`conversation:prefer`: one's own view of it, on all devices."""

    conversation: ConversationKey
    pinned: bool | msgspec.UnsetType = msgspec.UNSET
    silent_until: Milliseconds | msgspec.UnsetType | None = msgspec.UNSET
    notify: Literal["all", "mentions", "none"] | msgspec.UnsetType = msgspec.UNSET
    """Which of its messages wake a device that is not connected."""


class AddMember(msgspec.Struct, frozen=True, kw_only=True):
    """`member:add`."""

    conversation: ConversationKey
    user: UserId
    role: Role = "member"


class RemoveMember(msgspec.Struct, frozen=True, kw_only=True):
    """`member:remove`; with `banned_until` they may not come back before."""

    conversation: ConversationKey
    user: UserId
    banned_until: Milliseconds | None = None


class BanMember(msgspec.Struct, frozen=True, kw_only=True):
    """`member:ban`: out, and not in again before `until` by any door; null is for ever. Also of
    who is no member.
    """

    conversation: ConversationKey
    user: UserId
    until: Milliseconds | None = None
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""
    """Told in the log."""


class UnbanMember(msgspec.Struct, frozen=True, kw_only=True):
    """`member:unban`."""

    conversation: ConversationKey
    user: UserId


class ListBans(msgspec.Struct, frozen=True, kw_only=True):
    """`member:bans`, by user; `after` is the `next` of the page before."""

    conversation: ConversationKey
    after: str = ""
    limit: Limit = 100


class UpdateMember(msgspec.Struct, frozen=True, kw_only=True):
    """`member:update`: role, or silence until a time; null ends it."""

    conversation: ConversationKey
    user: UserId
    role: Role | msgspec.UnsetType = msgspec.UNSET
    muted_until: Milliseconds | msgspec.UnsetType | None = msgspec.UNSET
    banned_until: Milliseconds | msgspec.UnsetType | None = msgspec.UNSET


class ListMembers(msgspec.Struct, frozen=True, kw_only=True):
    """`member:list`, by user; `after` is the `next` of the page before."""

    conversation: ConversationKey
    after: str = ""
    limit: Limit = 100


class CreateInvite(msgspec.Struct, frozen=True, kw_only=True):
    """`invite:create`: a secret that lets whoever has it join."""

    conversation: ConversationKey
    expires_at: Milliseconds | None = None
    max_uses: Annotated[int, msgspec.Meta(ge=1, le=100_000)] | None = None
    role: Literal["member", "guest"] = "member"


class RevokeInvite(msgspec.Struct, frozen=True, kw_only=True):
    """`invite:revoke`."""

    invite: str


class ListInvites(msgspec.Struct, frozen=True, kw_only=True):
    """`invite:list`: those that still work."""

    conversation: ConversationKey


class BlockUser(msgspec.Struct, frozen=True, kw_only=True):
    """`user:block` and `user:unblock`."""

    user: UserId
