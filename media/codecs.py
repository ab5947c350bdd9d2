"""Which codecs the SFU forwards, and how it describes them."""

from typing import Final

from media.wire.extensions import Uri
from media.wire.sdp import Codec, Media

AUDIO: Final = frozenset({"opus"})
VIDEO: Final = frozenset({"vp8", "vp9", "h264", "av1"})
VIDEO_FEEDBACK: Final = ("goog-remb", "ccm fir", "nack", "nack pli")
"""Both ways. `INCOMING_FEEDBACK` comes on top where we are the receiver."""
INCOMING_FEEDBACK: Final = ("transport-cc",)
AUDIO_FEEDBACK: Final[tuple[str, ...]] = ()
DESCRIBED: Final = frozenset({"av1"})
"""Codecs whose layers are told by the dependency descriptor. The others say them in the payload,
and browsers leave that out once the descriptor is negotiated."""
_VP9_PROFILES: Final = frozenset({"0", "2"})

OUTGOING_EXTENSIONS: Final[dict[str, int]] = {
    Uri.AUDIO_LEVEL: 1,
    Uri.ABS_SEND_TIME: 2,
    Uri.TRANSPORT_CC: 3,
    Uri.PLAYOUT_DELAY: 5,
    Uri.ABS_CAPTURE_TIME: 9,
    Uri.DEPENDENCY_DESCRIPTOR: 12,
    Uri.ORIENTATION: 13,
}
"""Ids on every subscribe transport: Producers renumber to these once per packet. They are the
ones browsers offer themselves, so that a viewer who offers shares them."""
_SENDING: Final = (Uri.ABS_SEND_TIME, Uri.TRANSPORT_CC)
AUDIO_EXTENSIONS: Final = (*_SENDING, Uri.AUDIO_LEVEL, Uri.ABS_CAPTURE_TIME)
VIDEO_EXTENSIONS: Final = (*_SENDING, Uri.ORIENTATION, Uri.PLAYOUT_DELAY)
INCOMING_EXTENSIONS: Final = frozenset(
    {
        Uri.MID,
        Uri.RID,
        Uri.REPAIRED_RID,
        Uri.AUDIO_LEVEL,
        Uri.ABS_SEND_TIME,
        Uri.TRANSPORT_CC,
        Uri.ORIENTATION,
        Uri.PLAYOUT_DELAY,
        Uri.ABS_CAPTURE_TIME,
    }
)
"""What answers to publishers accept."""


def extensions_of(kind: str, codec: str) -> tuple[str, ...]:
    """URIs of what packets of `codec` (lower case) may carry to subscribers."""
    if kind == "audio":
        return AUDIO_EXTENSIONS
    if codec in DESCRIBED:
        return (*VIDEO_EXTENSIONS, Uri.DEPENDENCY_DESCRIPTOR)
    return VIDEO_EXTENSIONS


def accepted(uri: str, codec: str) -> bool:
    """Whether an answer to a publisher of `codec` (lower case) takes an extension."""
    return uri in INCOMING_EXTENSIONS or (uri == Uri.DEPENDENCY_DESCRIPTOR and codec in DESCRIBED)


def forwardable(kind: str, codec: Codec) -> bool:
    """Whether packets of `codec` can be forwarded."""
    name = codec.name.lower()
    if kind == "audio":
        return name in AUDIO and codec.clock_rate == 48_000
    if name == "vp9" and codec.fmtp.get("profile-id", "0") not in _VP9_PROFILES:
        return False
    return name in VIDEO and codec.clock_rate == 90_000


def choose(media: Media) -> Codec | None:
    """The first codec of an m-line that we forward: the sender's preference."""
    return next((c for c in media.codecs if forwardable(media.kind, c)), None)


def with_feedback(kind: str, codec: Codec, payload_type: int) -> Codec:
    """`codec` under `payload_type`, with the feedback we give and take."""
    feedback = VIDEO_FEEDBACK if kind == "video" else AUDIO_FEEDBACK
    return Codec(
        payload_type,
        codec.name,
        codec.clock_rate,
        codec.channels,
        dict(codec.fmtp),
        list(feedback),
    )


def rtx_codec(payload_type: int, repairs: int) -> Codec:
    """The retransmission codec of the video payload type `repairs` (RFC 4588)."""
    return Codec(payload_type, "rtx", 90_000, 1, {"apt": str(repairs)})


class PayloadTypes:
    """Stable payload types of one subscribe transport: one number means one codec for ever."""

    __slots__ = ("_free", "_last", "_taken")

    def __init__(self) -> None:
        self._taken: dict[tuple[object, ...], tuple[int, int]] = {}
        self._free = [*range(96, 128), *range(35, 64)]
        self._last: dict[str, list[Codec]] = {}

    def assign(self, codec: Codec) -> tuple[int, int] | None:
        """(payload type, its rtx payload type); None when all are in use."""
        key = (codec.name.lower(), codec.clock_rate, codec.channels, *sorted(codec.fmtp.items()))
        known = self._taken.get(key)
        if known is None:
            if len(self._free) < 2:
                return None
            known = self._taken[key] = (self._free.pop(0), self._free.pop(0))
        return known

    def remember(self, mid: str, codecs: list[Codec]) -> None:
        """An m-line was offered with `codecs`."""
        self._last[mid] = codecs

    def last(self, mid: str) -> list[Codec]:
        """What an m-line was offered with last: an inactive one keeps it."""
        return self._last.get(mid, [])
