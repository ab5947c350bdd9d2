"""A Connection of this node in a Room."""

from dataclasses import dataclass

from signaling import topics
from signaling.model import Identity


@dataclass(slots=True)
class Seat:
    """What a node knows of one: who sits there, and which node holds the media."""

    who: Identity
    room: str
    participant: str
    holder: str
    stay: str = ""
    """Which stay of the Participant it is for; empty until the holder has said so."""

    @property
    def key(self) -> str:
        """The Room's name in the SFU and the registry."""
        return f"{self.who.app}/{self.room}"

    @property
    def topics(self) -> list[str]:
        """What it listens to: the Room, and what is for this Participant alone."""
        return [topics.room(self.who.app, self.room), topics.seat(self.who.app, self.participant)]
