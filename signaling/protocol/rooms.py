"""Requests about Rooms and their media."""

from typing import Annotated, Any, Literal

import msgspec

RoomName = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Sdp = Annotated[str, msgspec.Meta(max_length=256 * 1024)]
ShortId = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
DisplayName = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
TransportName = Literal["publish", "subscribe"]
Source = Literal["camera", "microphone", "screen", "screen_audio"]


class RoomJoin(msgspec.Struct, frozen=True, kw_only=True):
    """`room:join`.

    `participant` is the id of an earlier join whose transports this client still holds; only then
    may the ack say `resumed`.
    """

    room: RoomName
    name: DisplayName | None = None
    attributes: dict[str, Any] | None = None
    participant: ShortId | None = None


class RoomLeave(msgspec.Struct, frozen=True, kw_only=True):
    """`room:leave`."""

    room: RoomName


class TrackSource(msgspec.Struct, frozen=True, kw_only=True):
    """What an m-line of the offer shows."""

    mid: ShortId
    source: Source


class MediaPublish(msgspec.Struct, frozen=True, kw_only=True):
    """`media:publish`: the client's offer for its `publish` transport."""

    room: RoomName
    sdp: Sdp
    tracks: Annotated[list[TrackSource], msgspec.Meta(max_length=64)] = []


class MediaAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`media:answer`: the reply to `media:offer`."""

    room: RoomName
    offer_id: ShortId
    sdp: Sdp


class MediaCandidate(msgspec.Struct, frozen=True, kw_only=True):
    """`media:candidate`: a candidate line, or null at the end."""

    room: RoomName
    transport: TransportName
    candidate: dict[str, Any] | str | None = None


class MediaRestart(msgspec.Struct, frozen=True, kw_only=True):
    """`media:restart`: new ICE credentials for a transport."""

    room: RoomName
    transport: TransportName


class TrackUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """`track:update` on one's own track."""

    room: RoomName
    track: ShortId
    muted: bool | None = None
    source: Source | None = None


class SubscriptionUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """`subscription:update`: how another's track is wanted. Sizes in pixels."""

    room: RoomName
    track: ShortId
    enabled: bool | None = None
    width: Annotated[int, msgspec.Meta(ge=1, le=16384)] | None = None
    height: Annotated[int, msgspec.Meta(ge=1, le=16384)] | None = None
    fps: Annotated[int, msgspec.Meta(ge=1, le=240)] | None = None
    priority: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None


class ParticipantUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """`participant:update`: oneself, or another for a moderator. Attributes replace key by key."""

    room: RoomName
    participant: ShortId | None = None
    name: DisplayName | None = None
    attributes: dict[str, Any] | None = None


class ParticipantRemove(msgspec.Struct, frozen=True, kw_only=True):
    """`participant:remove`, by a moderator."""

    room: RoomName
    participant: ShortId


class ParticipantMute(msgspec.Struct, frozen=True, kw_only=True):
    """`participant:mute`, by a moderator: one track, those of a source, or all."""

    room: RoomName
    participant: ShortId
    track: ShortId | None = None
    source: Source | None = None


class SendFile(msgspec.Struct, frozen=True, kw_only=True):
    """Between nodes: send a stored file to a Participant over a data channel."""

    room: RoomName
    file: ShortId
    offset: int
