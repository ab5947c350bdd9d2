"""The events of a log: what each has beside `conversation, seq, id, sender, at`."""

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from signaling.model import Role
from signaling.protocol.views import (
    At,
    CallMedia,
    ShownCall,
    ShownConversation,
    ShownImage,
    ShownSettings,
)


class Entry(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """What all have; `type` tells them apart."""

    conversation: str
    seq: int
    id: str
    sender: str
    at: At


class ThreadState(msgspec.Struct, frozen=True, kw_only=True):
    """What was answered in the thread of a message."""

    count: int
    seq: int
    """The newest reply."""
    at: At


class MessageCreated(Entry, frozen=True, kw_only=True, tag="message:created"):
    """A message, in history as it stands now."""

    client_id: str | UnsetType = UNSET
    kind: str
    body: dict[str, Any] | None
    """Null once it is gone: recalled, expired or erased."""
    sender_name: str | UnsetType = UNSET
    reply_to: int | UnsetType = UNSET
    thread: int | UnsetType = UNSET
    mentions: list[str] | UnsetType = UNSET
    expires_at: At | UnsetType = UNSET
    edited_seq: int | UnsetType = UNSET
    """The edit that it shows."""
    edited_at: At | UnsetType = UNSET
    edits: list[int] | UnsetType = UNSET
    """Seqs of all its edits."""
    pinned: bool | UnsetType = UNSET
    reactions: dict[str, list[str]] | UnsetType = UNSET
    """Users by emoji."""
    replies: ThreadState | UnsetType = UNSET
    recalled: bool | UnsetType = UNSET
    recalled_at: At | UnsetType = UNSET
    expired: bool | UnsetType = UNSET
    erased: bool | UnsetType = UNSET


class MessageEdited(Entry, frozen=True, kw_only=True, tag="message:edited"):
    """A message has another body."""

    target: int
    """The message's seq."""
    kind: str
    body: dict[str, Any] | None
    """Null where the message is gone or hidden."""
    mentions: list[str] | UnsetType = UNSET
    expires_at: At | UnsetType = UNSET
    expired: bool | UnsetType = UNSET


class MessageRecalled(Entry, frozen=True, kw_only=True, tag="message:recalled"):
    """A message was taken back."""

    target: int
    by: str


class MessagePinned(Entry, frozen=True, kw_only=True, tag="message:pinned"):
    """A message was pinned, or not any more."""

    target: int
    by: str
    on: bool


class ReactionChanged(Entry, frozen=True, kw_only=True, tag="reaction:changed"):
    """Someone's reaction."""

    target: int
    emoji: str
    user: str
    on: bool


class MemberJoined(Entry, frozen=True, kw_only=True, tag="member:joined"):
    """Someone is a member."""

    user: str
    role: Role
    name: str | UnsetType = UNSET
    from_seq: int | UnsetType = UNSET
    """Where they see the log from, if not from its start."""
    about: ShownConversation | UnsetType = UNSET
    """What they joined: told to whoever did."""


class MemberLeft(Entry, frozen=True, kw_only=True, tag="member:left"):
    """Someone is no member any more."""

    user: str
    role: Role
    reason: Literal["left", "removed", "banned", "erased"]
    about: UnsetType | None = UNSET


class MemberUpdated(Entry, frozen=True, kw_only=True, tag="member:updated"):
    """A role or a mute changed."""

    user: str
    role: Role
    muted_until: At | UnsetType | None = UNSET


class MemberBanned(Entry, frozen=True, kw_only=True, tag="member:banned"):
    """Someone is kept out."""

    user: str
    until: At | None
    """Null is for ever."""
    reason: str | UnsetType = UNSET


class MemberUnbanned(Entry, frozen=True, kw_only=True, tag="member:unbanned"):
    """Someone may come again."""

    user: str


class ConversationUpdated(Entry, frozen=True, kw_only=True, tag="conversation:updated"):
    """Title or settings changed: the fields that did."""

    title: str | UnsetType | None = UNSET
    alias: str | UnsetType | None = UNSET
    open: bool | UnsetType = UNSET
    settings: ShownSettings | UnsetType = UNSET
    archived_at: At | UnsetType | None = UNSET


class CallEnded(Entry, frozen=True, kw_only=True, tag="call:ended"):
    """A call, as history keeps it."""

    call: ShownCall
    media: CallMedia
    outcome: str | None
    duration_ms: int


class FileReady(Entry, frozen=True, kw_only=True, tag="file:ready"):
    """A file is whole and checked."""

    file: str
    name: str
    size: int
    sha256: str
    image: ShownImage | UnsetType = UNSET
    message: int | None
    """Seq of its message."""


LogEvent = (
    MessageCreated
    | MessageEdited
    | MessageRecalled
    | MessagePinned
    | ReactionChanged
    | MemberJoined
    | MemberLeft
    | MemberUpdated
    | MemberBanned
    | MemberUnbanned
    | ConversationUpdated
    | CallEnded
    | FileReady
)
