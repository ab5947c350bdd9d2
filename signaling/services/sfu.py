"""What Rooms need of the forwarding unit, and its words on our wire."""

from collections.abc import Sequence
from typing import Any, Protocol

from media import Rights
from media import events as media
from media.errors import MediaError
from signaling.errors import CODES, Refused
from signaling.model import Grants


class Published(Protocol):
    """The answer to an offer."""

    @property
    def sdp(self) -> str: ...

    @property
    def tracks(self) -> Sequence[Any]:
        """Each with `mid`, `track`, `kind` and `source`."""


class Sfu(Protocol):
    """The front door of the forwarding unit. Raises MediaError for what callers do wrong."""

    def join(self, room: str, participant: str, rights: Rights) -> None: ...

    async def leave(self, room: str, participant: str) -> None: ...

    async def publish(
        self, room: str, participant: str, sdp: str, sources: dict[str, str]
    ) -> Published: ...

    async def answer(self, room: str, participant: str, offer_id: str, sdp: str) -> None: ...

    def candidate(
        self, room: str, participant: str, transport: media.TransportName, candidate: object
    ) -> None: ...

    async def restart(
        self, room: str, participant: str, transport: media.TransportName
    ) -> None: ...

    def update_track(
        self,
        room: str,
        participant: str,
        track: str,
        muted: bool | None = None,
        source: str | None = None,
    ) -> None: ...

    def update_subscription(
        self,
        room: str,
        participant: str,
        track: str,
        enabled: bool | None = None,
        width: int = 0,
        height: int = 0,
        fps: int = 0,
        priority: int = 0,
    ) -> None: ...

    async def send_file(self, room: str, participant: str, file: str, offset: int) -> bool: ...


def rights(grants: Grants) -> Rights:
    """What the SFU lets a Participant do."""
    sources = grants.publish_sources
    return Rights(
        publish=grants.publish,
        subscribe=grants.subscribe,
        sources=None if sources is None else frozenset(sources),
    )


def offer_to_wire(room: str, event: media.OfferMade) -> dict[str, Any]:
    """`media:offer`."""
    names = ("mid", "track", "participant", "kind", "source")
    tracks = [{name: getattr(track, name) for name in names} for track in event.tracks]
    return {"room": room, "offer_id": event.offer_id, "sdp": event.sdp, "tracks": tracks}


def refused(error: MediaError) -> Refused:
    """The SFU's refusal on the wire."""
    code: Any = error.code if error.code in CODES else "bad_request"
    return Refused(code, error.message)
