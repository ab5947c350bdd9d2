"""The events that stand in no log: who misses one asks how things are now."""

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from signaling.errors import Code
from signaling.protocol.answered import Synced
from signaling.protocol.rooms import Source
from signaling.protocol.views import (
    At,
    IceServer,
    ReportState,
    ShownCall,
    ShownImage,
    ShownParticipant,
    ShownPresence,
    ShownTrack,
    TrackKind,
)


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request was not carried out."""

    code: Code
    message: str
    retryable: bool
    retry_after_ms: int | UnsetType = UNSET


class ServerLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What a client need not try to exceed."""

    message_bytes: int
    mentions: int
    scheduled: int
    """Messages of one user that wait for their time."""
    group_members: int
    missed_events: int
    file_bytes: int
    room_participants: int
    packet_bytes: int


class SessionReady(msgspec.Struct, frozen=True, kw_only=True):
    """The first event of a connection."""

    user: str
    name: str
    device: str
    app: str
    cursor: str
    server_time: At
    expires_at: At
    limits: ServerLimits
    features: list[str]
    """Families of requests that this server answers."""
    ice_servers: list[IceServer]
    unread_total: int
    mentions_total: int
    missed: Synced


class SessionExpiring(msgspec.Struct, frozen=True, kw_only=True):
    """The token ends soon: send `session:refresh`."""

    expires_at: At


class RoomFileReady(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a standalone room is whole and checked; such a room has no log."""

    room: str
    sender: str
    at: At
    file: str
    name: str
    size: int
    type: str
    sha256: str
    image: ShownImage | UnsetType = UNSET
    message: None


class FileProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far an upload is."""

    file: str
    conversation: str | UnsetType = UNSET
    room: str | UnsetType = UNSET
    """Where it is of no conversation."""
    sender: str
    name: str
    type: str
    size: int
    offset: int
    state: Literal["uploading", "ready", "cancelled", "failed"]


class ConversationPreferred(msgspec.Struct, frozen=True, kw_only=True):
    """One's own view of a conversation changed, on whichever device."""

    conversation: str
    archived: bool | UnsetType = UNSET
    pinned: bool | UnsetType = UNSET
    silent_until: At | UnsetType | None = UNSET
    notify: Literal["all", "mentions", "none"] | UnsetType = UNSET


class ScheduledFailed(msgspec.Struct, frozen=True, kw_only=True):
    """A message was refused when its time came."""

    scheduled: str
    error: Refusal


class ReceiptUpdated(msgspec.Struct, frozen=True, kw_only=True):
    """Someone's watermarks moved."""

    conversation: str
    user: str
    delivered: int
    read: int


class TypingChanged(msgspec.Struct, frozen=True, kw_only=True):
    """Someone writes, or stopped."""

    conversation: str
    user: str
    on: bool


class PresenceChanged(ShownPresence, frozen=True, kw_only=True):
    """A watched user."""


class CallRinging(msgspec.Struct, frozen=True, kw_only=True):
    """A call for this user, on every device."""

    call: ShownCall


class CallChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A call moved on."""

    call: ShownCall


class Signaller(msgspec.Struct, frozen=True, kw_only=True):
    """Whose client a signal is from."""

    user: str
    device: str


class SignalReceived(msgspec.Struct, frozen=True, kw_only=True, rename={"sender": "from"}):
    """Another client's offer, answer or candidate."""

    sender: Signaller
    call: str | UnsetType = UNSET
    description: dict[str, Any] | UnsetType = UNSET
    candidate: dict[str, Any] | UnsetType = UNSET


class ParticipantJoined(ShownParticipant, frozen=True, kw_only=True):
    """Someone is in a room."""

    room: str


class ParticipantLeft(msgspec.Struct, frozen=True, kw_only=True):
    """Someone left a room."""

    room: str
    participant: str
    reason: str


class ParticipantUpdated(ShownParticipant, frozen=True, kw_only=True):
    """A name or attributes changed."""

    room: str


class TrackPublished(ShownTrack, frozen=True, kw_only=True):
    """A track can be received."""

    room: str
    participant: str


class TrackUpdated(ShownTrack, frozen=True, kw_only=True):
    """A track was muted or changed."""

    room: str
    participant: str


class TrackUnpublished(msgspec.Struct, frozen=True, kw_only=True):
    """A track ended."""

    room: str
    participant: str
    track: str


class OfferedTrack(msgspec.Struct, frozen=True, kw_only=True):
    """What an m-line of the offer carries, and whose it is."""

    mid: str
    track: str
    participant: str
    kind: TrackKind
    source: Source


class MediaOffer(msgspec.Struct, frozen=True, kw_only=True):
    """The server's offer on `subscribe`; answer with `media:answer`."""

    room: str
    offer_id: str
    sdp: str
    tracks: list[OfferedTrack]


class Speaker(msgspec.Struct, frozen=True, kw_only=True):
    """Who is heard, and how loud: 0 to 1."""

    participant: str
    level: float


class RoomSpeakers(msgspec.Struct, frozen=True, kw_only=True):
    """Who is heard, loudest first."""

    room: str
    speakers: list[Speaker]


class RoomQuality(msgspec.Struct, frozen=True, kw_only=True):
    """How well connections do, 1 to 5."""

    room: str
    participant: str
    score: int


class UsageNotice(msgspec.Struct, frozen=True, kw_only=True):
    """What of the plan, and how much of it."""

    metric: Literal["messages", "active_users", "connections", "stored_bytes", "call_minutes"]
    level: Literal["warning", "exceeded"]
    period: str
    used: float
    limit: int
    at: At


class UsageWarning(UsageNotice, frozen=True, kw_only=True):
    """An admin's app has used 80 % of a limit of its plan."""


class UsageExceeded(UsageNotice, frozen=True, kw_only=True):
    """An admin's app has used a limit of its plan up."""


class ReportCreated(ReportState, frozen=True, kw_only=True):
    """For the app's administrators: a member reported a message."""


class ReportResolved(ReportState, frozen=True, kw_only=True):
    """For the app's administrators: a report is closed."""


class ServerDrain(msgspec.Struct, frozen=True, kw_only=True):
    """This node goes away; connect again then."""

    retry_after_ms: int
