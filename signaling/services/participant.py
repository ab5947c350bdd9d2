"""A Participant as its Room's node knows it, and who asks something of the Room."""

import uuid
from dataclasses import dataclass, field
from typing import Any

import msgspec

from signaling.errors import Refused
from signaling.model import Identity

ATTRIBUTES_MAX_BYTES = 4096


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, as the node of their Connection found them allowed to."""

    who: Identity
    node: str
    """Where the Connection is."""
    room: str
    participant: str
    moderator: bool = False

    @property
    def key(self) -> str:
        """The Room's name in the SFU and the registry."""
        return f"{self.who.app}/{self.room}"


@dataclass(slots=True)
class Participant:
    """One User's Device in a Room; the Connection may change."""

    id: str
    who: Identity
    """As of the latest join."""
    node: str
    name: str
    attributes: dict[str, Any]
    connected: bool = True
    """Its Connection is open."""
    media_lost: bool = False
    """Every transport it had is lost."""
    absences: int = 0
    """How often the Connection was lost; tells one grace from the next."""
    tracks: dict[str, dict[str, Any]] = field(default_factory=dict)
    """`{track, kind, source, muted}` by track."""
    offer: dict[str, Any] | None = None
    """The `media:offer` that has not been answered."""
    stay: str = field(default_factory=lambda: uuid.uuid4().hex)
    """Who leaves and comes again has the same id, and another of these."""

    def to_wire(self) -> dict[str, Any]:
        """As others see it."""
        return {
            "participant": self.id,
            "user": self.who.user,
            "device": self.who.device,
            "name": self.name,
            "attributes": self.attributes,
            "tracks": list(self.tracks.values()),
        }

    def change(self, name: str | None, attributes: dict[str, Any] | None) -> bool:
        """Take a new name and attributes (null removes one); True when something changed."""
        merged = self.attributes | (attributes or {})
        merged = {key: value for key, value in merged.items() if value is not None}
        if len(msgspec.json.encode(merged)) > ATTRIBUTES_MAX_BYTES:
            raise Refused("too_large", f"attributes may take {ATTRIBUTES_MAX_BYTES} bytes")
        changed = merged != self.attributes or name not in (None, self.name)
        self.attributes = merged
        self.name = name or self.name
        return changed


@dataclass(slots=True)
class Room:
    """The live media of a Conversation or of a standalone name, on the node that claimed it."""

    app: str
    id: str
    participants: dict[str, Participant] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The Room's name in the SFU and the registry."""
        return f"{self.app}/{self.id}"
