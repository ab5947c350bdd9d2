"""Facts the SFU reports upward: frozen, in the past tense. The owner of an `Sfu` gets each once."""

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["audio", "video"]
TransportName = Literal["publish", "subscribe"]


@dataclass(frozen=True, slots=True)
class OfferedTrack:
    """One m-line of an offer that carries a track."""

    mid: str
    track: str
    """Producer's id, as in `TrackPublished`."""
    participant: str
    """Who publishes it."""
    kind: Kind
    source: str
    """`camera`, `microphone`, `screen` or `screen_audio`."""


@dataclass(frozen=True, slots=True)
class OfferMade:
    """The server wants to change a `subscribe` transport; answer with `Sfu.answer`."""

    room: str
    participant: str
    offer_id: str
    sdp: str
    tracks: tuple[OfferedTrack, ...]


@dataclass(frozen=True, slots=True)
class TrackPublished:
    """A Participant's track may now be subscribed to."""

    room: str
    participant: str
    track: str
    kind: Kind
    source: str
    muted: bool = False


@dataclass(frozen=True, slots=True)
class TrackUpdated:
    """Mute state or source of a track changed."""

    room: str
    participant: str
    track: str
    kind: Kind
    source: str
    muted: bool


@dataclass(frozen=True, slots=True)
class TrackUnpublished:
    """A track ended: removed from the offer, or its Participant left."""

    room: str
    participant: str
    track: str


@dataclass(frozen=True, slots=True)
class SpeakersChanged:
    """Who is heard now, loudest first."""

    room: str
    speakers: tuple[tuple[str, float], ...]
    """(participant, level 0..1)."""


@dataclass(frozen=True, slots=True)
class QualityChanged:
    """How well a Participant's connection does, 1 (poor) to 5 (excellent)."""

    room: str
    participant: str
    score: int


@dataclass(frozen=True, slots=True)
class TransportConnected:
    """ICE and DTLS are done; media can flow."""

    room: str
    participant: str
    transport: TransportName


@dataclass(frozen=True, slots=True)
class TransportLost:
    """Nothing authentic came for the consent timeout (RFC 7675), or DTLS closed."""

    room: str
    participant: str
    transport: TransportName
    reason: str


@dataclass(frozen=True, slots=True)
class ParticipantLost:
    """Every transport the Participant had is lost; the owner decides when to `leave`."""

    room: str
    participant: str


@dataclass(frozen=True, slots=True)
class DataReceived:
    """An application message on `data` or `data-lossy`; already relayed to the room."""

    room: str
    participant: str
    payload: bytes = field(repr=False)
    reliable: bool


SfuEvent = (
    OfferMade
    | TrackPublished
    | TrackUpdated
    | TrackUnpublished
    | SpeakersChanged
    | QualityChanged
    | TransportConnected
    | TransportLost
    | ParticipantLost
    | DataReceived
)
