"""What answers and events both show: conversations, members, calls, rooms, reports."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from signaling.model import ConversationType, Role
from signaling.protocol.conversations import History
from signaling.protocol.rooms import Source

At = Annotated[int, msgspec.Meta(description="UTC milliseconds.")]
Past = Annotated[int, msgspec.Meta(description="How far back, in milliseconds; 0 for ever.")]
TrackKind = Literal["audio", "video"]
CallMedia = Literal["audio", "video"]


class ShownSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a conversation is set to, where it was set."""

    history: History | UnsetType = UNSET
    slow_mode_ms: int | UnsetType = UNSET
    recall_limit_ms: int | UnsetType = UNSET
    retention_days: int | UnsetType = UNSET
    attributes: dict[str, Any] | UnsetType = UNSET
    pins: list[int] | UnsetType = UNSET
    """Seqs of pinned messages."""


class ShownConversation(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation, as everyone who may know of it sees it."""

    id: str
    type: ConversationType
    title: str | None
    alias: str | None
    open: bool
    """Anyone of the app may join."""
    created_at: At
    created_by: str
    head: int
    """Seq of its newest event."""
    member_count: int
    archived_at: At | None
    settings: ShownSettings


class ShownMember(msgspec.Struct, frozen=True, kw_only=True):
    """A member, as the others see them."""

    user: str
    name: str
    role: Role
    joined_at: At
    muted_until: At | None
    delivered: int
    read: int


class Ban(msgspec.Struct, frozen=True, kw_only=True):
    """Who may not come in."""

    user: str
    until: At | None
    """Null is for ever."""


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """A secret that lets whoever has it join."""

    id: str
    conversation: str
    role: Literal["member", "guest"]
    created_by: str
    created_at: At
    expires_at: At | None
    max_uses: int | None
    uses: int


class ShownPresence(msgspec.Struct, frozen=True, kw_only=True):
    """How a user is seen by the one who asks."""

    user: str
    status: Literal["online", "away", "busy", "offline"]
    text: str | None
    last_seen: At | None
    devices: int


class CallParty(msgspec.Struct, frozen=True, kw_only=True):
    """One user in a call."""

    user: str
    state: Literal["ringing", "accepted", "declined", "busy", "missed", "left"]
    device: str | None
    """The one that accepted."""


class ShownCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call of a conversation, from the first ring to the end."""

    id: str
    conversation: str
    room: str
    media: CallMedia
    caller: str
    state: Literal["ringing", "active", "ended"]
    started_at: At
    answered_at: At | None
    ended_at: At | None
    outcome: str | None
    duration_ms: int
    participants: list[CallParty]


class ShownTrack(msgspec.Struct, frozen=True, kw_only=True):
    """A track that can be received."""

    track: str
    kind: TrackKind
    source: Source
    muted: bool


class ShownParticipant(msgspec.Struct, frozen=True, kw_only=True):
    """A user's device in a room, as the others see it."""

    participant: str
    user: str
    device: str
    name: str
    attributes: dict[str, Any]
    tracks: list[ShownTrack]


class IceServer(msgspec.Struct, frozen=True, kw_only=True):
    """An RTCIceServer."""

    urls: list[str]
    username: str | UnsetType = UNSET
    credential: str | UnsetType = UNSET


class ReportState(msgspec.Struct, frozen=True, kw_only=True):
    """A member's complaint about a message, without what the message said."""

    report: str
    app: str
    conversation: str
    seq: int
    sender: str
    reporter: str
    reason: str
    at: At
    state: Literal["open", "resolved"]
    action: Literal["dismiss", "recall", "mute", "kick", "ban", "suspend"] | None
    resolved_by: str | None
    resolved_at: At | None
    note: str | None


class ReportedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message as it was when it was reported."""

    at: At
    kind: str
    body: dict[str, Any] | None
    sender_name: str | UnsetType = UNSET


class ShownReport(ReportState, frozen=True, kw_only=True):
    """A report as its moderators see it."""

    message: ReportedMessage | None
    """Gone once the report is resolved."""


class ShownImage(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a picture."""

    width: int
    height: int
    blurhash: str
    thumbnail: bool
    """Whether there is one."""
