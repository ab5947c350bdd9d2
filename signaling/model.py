"""The values of the domain: what services decide and stores keep. Times are UTC milliseconds."""

from typing import Any, Literal

import msgspec

ConversationType = Literal["direct", "group", "channel"]
Role = Literal["owner", "admin", "member", "guest"]
MEMBERSHIP = ("member:joined", "member:left")
"""The types of events that say who is in a conversation from then on."""


class Grants(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a token allows beyond, or short of, a plain member's rights."""

    rooms: tuple[str, ...] | None = None
    """Shell-style patterns of standalone rooms; None means none are named, so all conversations'
    own.
    """
    publish: bool = True
    subscribe: bool = True
    publish_sources: tuple[str, ...] | None = None
    files: bool = True
    admin: bool = False


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who is calling: a User's Device, on one Connection."""

    app: str
    user: str
    device: str
    connection: str
    name: str
    grants: Grants
    expires_at: int


APP_USER = "@app"
"""Whom an app's server is when it acts for nobody; no user has this id."""


class App(msgspec.Struct, frozen=True, kw_only=True):
    """One tenant."""

    id: str
    name: str
    created_at: int
    settings: dict[str, Any] = {}


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key id with its secret. `sealed` is the signing secret, encrypted."""

    id: str
    app: str
    name: str
    scopes: tuple[str, ...]
    sealed: bytes
    """AES-GCM under the master key of the token-signing secret."""
    digest: bytes
    """SHA-256 of the secret as a bearer credential."""
    created_at: int
    revoked_at: int | None = None


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """Durable talk of its members; `head` is the seq of its newest event, 0 when empty."""

    id: str
    app: str
    type: ConversationType
    title: str | None = None
    alias: str | None = None
    open: bool = False
    """Anyone of the app may join by id or alias."""
    created_at: int
    created_by: str
    head: int = 0
    messages: int = 0
    """How many of its events are messages."""
    position: int = 0
    """Position of its newest event."""
    member_count: int = 0
    archived_at: int | None = None
    settings: dict[str, Any] = {}


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A User in a Conversation, with their watermarks: read <= delivered <= head."""

    conversation: str
    user: str
    role: Role
    joined_at: int
    from_seq: int = 0
    """Events below it are hidden from this member; 0 hides none."""
    left_at: int | None = None
    left_seq: int = 0
    """The event that ended the membership, the last one this user may see."""
    banned_until: int | None = None
    """May not join again before; None when not banned."""
    muted_until: int | None = None
    """May not write before."""
    delivered: int = 0
    read: int = 0
    sent_at: int = 0
    """When this member's newest message was sent."""
    preferences: dict[str, Any] = {}
    """This user's own view of the conversation: archived, pinned, silent_until."""
    name: str | None = None
    """What the user is called; read with the member, kept with the user."""


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """What a member hears of a Conversation: what comes after its head, of what they may see."""

    conversation: str
    from_seq: int
    """As in Member."""
    head: int


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where a User stands in one Conversation; the counts are those of the log."""

    conversation: Conversation
    member: Member
    unread: int = 0
    """Messages after the member's read watermark; one's own move it."""
    mentions: int = 0
    """Those of them that mention the member, or everyone."""
    last: "Event | None" = None
    """The newest event, if the member may see it."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a log. `data` is everything beyond the common fields."""

    conversation: str
    seq: int
    id: str
    type: str
    sender: str
    at: int
    data: dict[str, Any] = {}
    position: int = 0
    """Place in the app-wide order of commits; cursors are made of it, clients never see it."""

    def to_wire(self) -> dict[str, Any]:
        """The flat object of the wire: `{conversation, seq, id, type, sender, at, ...data}`."""
        return {
            **self.data,
            "conversation": self.conversation,
            "seq": self.seq,
            "id": self.id,
            "type": self.type,
            "sender": self.sender,
            "at": self.at,
        }


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """An event before it has a seq. With `client_id` it is appended at most once, for ever."""

    app: str
    conversation: str
    id: str
    type: str
    sender: str
    at: int
    data: dict[str, Any] = {}
    client_id: str | None = None
    fingerprint: str = ""
    """Digest of the request; the same client_id with another one is a `conflict`."""
    refers: tuple[int, ...] = ()
    """Events that must be messages the sender may see, else `not_found`."""
    scheduled: str | None = None
    """The waiting message that this is; it waits no more. What was called off is `not_found`."""


class Appended(msgspec.Struct, frozen=True, kw_only=True):
    """What an append answered; `duplicate` when the client_id had been appended before."""

    event: Event
    duplicate: bool = False


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision sees: the state inside the transaction that will carry it out."""

    conversation: Conversation
    members: dict[str, Member]
    """Those asked for that were ever members; look at `left_at`."""
    owners: int
    """How many owners have not left."""
    target: Event | None = None
    """The event asked for, if it exists."""


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An administrative act, as the audit trail keeps it."""

    app: str
    at: int
    actor: str
    """`key:…`, `user:…`, `app`, or `operator` for the command line."""
    action: str
    """Like an event's name: `key:created`, `member:banned`."""
    subject: str = ""
    """The id of what it was done to."""
    details: dict[str, Any] = {}


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision wants done, all or nothing."""

    conversation: Conversation | None = None
    """Replaces title, alias, open, archived_at and settings."""
    members: tuple[Member, ...] = ()
    """Inserted or replaced; only users the scene was asked for."""
    drafts: tuple[Draft, ...] = ()
    """Appended in order: the first gets head + 1."""
    target: dict[str, Any] | None = None
    """Replaces the data of the scene's target event."""
    redact: tuple[int, ...] = ()
    """Events of the conversation whose `body` is blanked for ever."""
    invite: str | None = None
    """An invitation that this uses once; it is refused where the invitation works no more."""
    audit: tuple[AuditEntry, ...] = ()
    """Acts to write down with it."""


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision led to."""

    conversation: Conversation
    members: dict[str, Member]
    events: list[Event]
    duplicate: bool = False
    """The first draft's client_id had been used: nothing was done, `events` is that first answer.
    """


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """A member whose watermarks moved, in a conversation of so many."""

    member: Member
    member_count: int


class History(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a log as one member may see it."""

    conversation: Conversation
    member: Member
    events: list[Event]


class Invite(msgspec.Struct, frozen=True, kw_only=True):
    """Lets whoever knows its id join a conversation."""

    id: str
    app: str
    conversation: str
    role: Role = "member"
    created_by: str
    created_at: int
    expires_at: int | None = None
    max_uses: int | None = None
    uses: int = 0

    def works(self, now: int) -> bool:
        """Whether it may be used once more."""
        in_time = self.expires_at is None or now < self.expires_at
        return in_time and (self.max_uses is None or self.uses < self.max_uses)


class Scheduled(msgspec.Struct, frozen=True, kw_only=True):
    """A message that waits for its time; `who` and `request` are JSON of its sender and itself."""

    id: str
    app: str
    conversation: str
    sender: str
    client_id: str
    due_at: int
    who: str
    request: str
    not_before: int = 0
    """When it is tried again, after it could not be sent."""
    attempts: int = 0
    """How often it could not be sent."""


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A person in an App."""

    app: str
    id: str
    name: str | None = None
    created_at: int
    seen_at: int


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """One installation of a User."""

    app: str
    user: str
    device: str
    name: str | None = None
    created_at: int
    seen_at: int
    revoked_at: int | None = None


class Presence(msgspec.Struct, frozen=True, kw_only=True):
    """A User as others see them."""

    user: str
    status: Literal["online", "away", "busy", "offline"]
    text: str | None = None
    last_seen: int | None = None
    devices: int = 0
