"""What requests of the wire are answered with: the fields of acks, and REST's bodies."""

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from signaling.model import ConversationType, Role
from signaling.protocol.entries import LogEvent, MessageCreated
from signaling.protocol.rooms import Source
from signaling.protocol.views import (
    At,
    Ban,
    IceServer,
    Invitation,
    ShownCall,
    ShownMember,
    ShownParticipant,
    ShownPresence,
    ShownReport,
    ShownSettings,
    TrackKind,
)


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing to say but that it is done."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One's own place in a conversation; without it for who is no member."""

    id: str
    head: int
    """Seq of its newest event, or of the one that ended the membership."""
    role: Role | UnsetType = UNSET
    from_seq: int | UnsetType = UNSET
    """Earlier events are hidden."""
    delivered: int | UnsetType = UNSET
    read: int | UnsetType = UNSET
    unread: int | UnsetType = UNSET
    mentions: int | UnsetType = UNSET
    """Unread messages that name one."""
    archived: bool | UnsetType = UNSET
    pinned: bool | UnsetType = UNSET
    silent_until: At | UnsetType | None = UNSET
    notify: Literal["all", "mentions", "none"] | UnsetType = UNSET
    muted_until: At | UnsetType | None = UNSET
    last_event: LogEvent | UnsetType | None = UNSET
    members: list[ShownMember] | UnsetType = UNSET
    """The first hundred; in a list the first few."""


class OwnConversation(Place, frozen=True, kw_only=True):
    """A conversation, and one's own place in it."""

    type: ConversationType
    title: str | None
    alias: str | None
    open: bool
    created_at: At
    created_by: str
    member_count: int
    archived_at: At | None
    settings: ShownSettings


class MissedConversation(Place, frozen=True, kw_only=True):
    """A conversation and what was missed of it; `left: true` with nothing else if one left it."""

    events: list[LogEvent] | UnsetType = UNSET
    limited: bool | UnsetType = UNSET
    """There is more than was sent."""
    left: bool | UnsetType = UNSET
    """The last event is the one that ended the membership."""
    type: ConversationType | UnsetType = UNSET
    title: str | UnsetType | None = UNSET
    alias: str | UnsetType | None = UNSET
    open: bool | UnsetType = UNSET
    created_at: At | UnsetType = UNSET
    created_by: str | UnsetType = UNSET
    member_count: int | UnsetType = UNSET
    archived_at: At | UnsetType | None = UNSET
    settings: ShownSettings | UnsetType = UNSET


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """Which conversation it was."""

    id: str


class OneConversation(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation as it is now."""

    conversation: OwnConversation


class MadeConversation(OneConversation, frozen=True, kw_only=True):
    """A conversation, and whether it was there before."""

    duplicate: bool


class ConversationPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some of one's conversations; the totals are of all."""

    conversations: list[OwnConversation]
    next: str | None
    unread_total: int
    mentions_total: int


class Where(msgspec.Struct, frozen=True, kw_only=True):
    """Where it was done."""

    conversation: Named


class ChangedMember(Where, frozen=True, kw_only=True):
    """A member as they are now."""

    member: ShownMember


class BannedMember(Where, frozen=True, kw_only=True):
    """Until when; null is for ever."""

    until: At | None


class MemberPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some of the members."""

    members: list[ShownMember]
    next: str | None


class BanPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some of those who may not come in."""

    bans: list[Ban]
    next: str | None


class OneInvitation(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation."""

    invite: Invitation


class Invitations(msgspec.Struct, frozen=True, kw_only=True):
    """Those that still work."""

    invites: list[Invitation]


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A message is on disk."""

    id: str
    seq: int
    at: At
    conversation: str
    duplicate: bool
    """It was sent before, under the same `client_id`."""
    body: dict[str, Any] | UnsetType = UNSET
    """What is kept, where that is not what was sent."""


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A message that is sent later."""

    scheduled: str
    at: At


class Amended(msgspec.Struct, frozen=True, kw_only=True):
    """The new event; null, and the conversation's head, where nothing was to do."""

    id: str | None
    seq: int
    at: At | None
    changed: bool


class EventPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some of a log."""

    conversation: str
    events: list[LogEvent]
    head: int


class FoundMessages(msgspec.Struct, frozen=True, kw_only=True):
    """Messages, the newest first."""

    events: list[MessageCreated]
    next: str | None


class WaitingMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message as it will be sent."""

    id: str
    conversation: str
    client_id: str
    type: str
    body: dict[str, Any]
    at: At


class WaitingMessages(msgspec.Struct, frozen=True, kw_only=True):
    """One's own messages that wait for their time."""

    scheduled: list[WaitingMessage]


class Synced(msgspec.Struct, frozen=True, kw_only=True):
    """What was missed; or all of one's conversations, with totals, where that is unknown."""

    cursor: str
    conversations: list[MissedConversation]
    next: str | UnsetType | None = UNSET
    unread_total: int | UnsetType = UNSET
    mentions_total: int | UnsetType = UNSET


class Watermarks(msgspec.Struct, frozen=True, kw_only=True):
    """One's own, as they are now."""

    delivered: int
    read: int


class Receipts(msgspec.Struct, frozen=True, kw_only=True):
    """How many members have a message."""

    delivered_count: int
    read_count: int
    member_count: int
    members: list[ShownMember] | UnsetType = UNSET
    """Who they are, in small conversations."""


class Reported(msgspec.Struct, frozen=True, kw_only=True):
    """The report's id."""

    report: str
    duplicate: bool


class ReportPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some of the reports, the newest first."""

    reports: list[ShownReport]
    next: str | None


class OneReport(msgspec.Struct, frozen=True, kw_only=True):
    """A report as it is now."""

    report: ShownReport


class Blocked(msgspec.Struct, frozen=True, kw_only=True):
    """All whom one blocks."""

    blocked: list[str]


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """How these users are now."""

    users: list[ShownPresence]


class ChosenPrivacy(msgspec.Struct, frozen=True, kw_only=True):
    """What holds now."""

    status: Literal["everyone", "shared", "nobody"]
    last_seen: Literal["everyone", "nobody"]


class OwnDevice(msgspec.Struct, frozen=True, kw_only=True):
    """One of the user's devices."""

    device: str
    name: str | None
    created_at: At
    seen_at: At
    own: bool
    """The one that asks."""


class OwnDevices(msgspec.Struct, frozen=True, kw_only=True):
    """Those that are signed in."""

    devices: list[OwnDevice]


class SignedOut(msgspec.Struct, frozen=True, kw_only=True):
    """Which device it was."""

    device: str


class PublicKey(msgspec.Struct, frozen=True, kw_only=True):
    """The browser's `applicationServerKey`."""

    key: str


class Subscribed(msgspec.Struct, frozen=True, kw_only=True):
    """The subscription's id."""

    subscription: str


class Unsubscribed(msgspec.Struct, frozen=True, kw_only=True):
    """Whether there was one."""

    removed: bool


class OneCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call as it is now."""

    call: ShownCall


class CallPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some of the calls that are over, the newest first."""

    calls: list[ShownCall]
    next: str | None


class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """One's place in a room, and who is in it."""

    room: str
    participant: str
    resumed: bool
    """The transports of before still live; if not, make new ones and publish again."""
    participants: list[ShownParticipant]


class PublishedTrack(msgspec.Struct, frozen=True, kw_only=True):
    """A track that the offer's m-line became."""

    mid: str
    track: str
    kind: TrackKind
    source: Source


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """The server's answer to an offer."""

    sdp: str
    tracks: list[PublishedTrack]


class Muted(msgspec.Struct, frozen=True, kw_only=True):
    """The tracks that are muted now."""

    tracks: list[str]


class Refreshed(msgspec.Struct, frozen=True, kw_only=True):
    """How long the socket may stay."""

    expires_at: At
    ice_servers: list[IceServer]
