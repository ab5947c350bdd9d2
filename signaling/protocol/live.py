"""What an app's server asks about what goes on now: Rooms, and who is here."""

from typing import Any, Literal

import msgspec

from signaling.protocol.rooms import ShortId, Source


class LiveRoomView(msgspec.Struct, frozen=True, kw_only=True):
    """A Room somebody is in."""

    room: str
    """A conversation's id, or the name of a standalone one."""
    participants: int
    """Those that stream by HTTP among them."""


class ParticipantView(msgspec.Struct, frozen=True, kw_only=True):
    """A User's Device in a Room."""

    participant: str
    user: str
    device: str
    name: str
    attributes: dict[str, Any]
    tracks: list[dict[str, Any]]
    """`{track, kind, source, muted}`."""
    connected: bool
    """False while its socket is lost and it is waited for."""
    via: Literal["socket", "whip", "whep"]
    """How it came: one that publishes or watches by HTTP has no socket."""


class RoomView(msgspec.Struct, frozen=True, kw_only=True):
    """A Room and who is in it."""

    room: str
    participants: list[ParticipantView]


class MuteWish(msgspec.Struct, frozen=True, kw_only=True):
    """One track, those of a source, or all."""

    track: ShortId | None = None
    source: Source | None = None


class MutedView(msgspec.Struct, frozen=True, kw_only=True):
    """What is muted now."""

    tracks: list[str]


class RemovedView(msgspec.Struct, frozen=True, kw_only=True):
    """Who is out."""

    participant: str
    user: str


class PresenceView(msgspec.Struct, frozen=True, kw_only=True):
    """How a user is seen by those whom nothing is hidden from."""

    user: str
    status: str
    text: str | None
    last_seen: int | None
    devices: int
