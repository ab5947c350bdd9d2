"""The values of the domain: what services decide about and stores keep. Times are UTC milliseconds."""

from typing import Any, Literal

import msgspec

ConversationType = Literal["direct", "group", "channel"]
Role = Literal["owner", "admin", "member", "guest"]


class Grants(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a token allows beyond, or short of, a plain member's rights."""

    rooms: tuple[str, ...] | None = None
    """Shell-style patterns of standalone rooms; None means none are named, so all conversations' own."""
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


class App(msgspec.Struct, frozen=True, kw_only=True):
    """One tenant."""

    id: str
    name: str
    created_at: int
    settings: dict[str, Any] = {}


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key id with its secret. The signing secret is kept encrypted; `sealed` is that ciphertext."""

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
    archived_at: int | None = None
    settings: dict[str, Any] = {}


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A User in a Conversation, with their watermarks: read <= delivered <= head."""

    conversation: str
    user: str
    role: Role
    joined_at: int
    from_seq: int = 0
    """First event this member may not see is none when 0; otherwise events below are hidden."""
    left_at: int | None = None
    muted_until: int | None = None
    delivered: int = 0
    read: int = 0


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
    fingerprint: bytes = b""
    """Digest of the request; the same client_id with another one is a `conflict`."""


class Appended(msgspec.Struct, frozen=True, kw_only=True):
    """What an append answered; `duplicate` when the client_id had been appended before."""

    event: Event
    duplicate: bool = False


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
