"""The SFU. Enter here: `Sfu`, its settings, its errors and the facts it reports.

sfu = Sfu(SfuConfig(), emit)
await sfu.start()
sfu.join("room", "alice", Rights())
published = await sfu.publish("room", "alice", offer_sdp, {"0": "camera"})
...                       # OfferMade comes to emit(); the browser answers
await sfu.answer("room", "bob", offer_id, answer_sdp)
await sfu.leave("room", "alice")
await sfu.close()
"""

from media.config import Rights, SfuConfig
from media.drops import DropReason
from media.errors import MediaError
from media.events import (
    DataReceived,
    OfferedTrack,
    OfferMade,
    ParticipantLost,
    QualityChanged,
    SfuEvent,
    SpeakersChanged,
    TrackPublished,
    TrackUnpublished,
    TrackUpdated,
    TransportConnected,
    TransportLost,
    TransportName,
)
from media.publish_sdp import PublishedTrack
from media.publisher import Published
from media.sfu import Sfu

__all__ = [
    "DataReceived",
    "DropReason",
    "MediaError",
    "OfferMade",
    "OfferedTrack",
    "ParticipantLost",
    "Published",
    "PublishedTrack",
    "QualityChanged",
    "Rights",
    "Sfu",
    "SfuConfig",
    "SfuEvent",
    "SpeakersChanged",
    "TrackPublished",
    "TrackUnpublished",
    "TrackUpdated",
    "TransportConnected",
    "TransportLost",
    "TransportName",
]
