"""Whether two ends mean the same codec (RFC 3264 section 6.1 and the payload formats)."""

import enum
from collections.abc import Iterable
from typing import Final, NamedTuple

from media.wire.sdp.values import Codec

_DEFAULT_PROFILE_LEVEL_ID: Final = "42001f"
"""libwebrtc's, where RFC 6184 says 420010: a browser that omits it does 3.1."""


class H264Profile(enum.Enum):
    """The profiles browsers name, by profile_idc and constraint flags (RFC 6184 table 5)."""

    CONSTRAINED_BASELINE = "constrained-baseline"
    BASELINE = "baseline"
    MAIN = "main"
    CONSTRAINED_HIGH = "constrained-high"
    HIGH = "high"
    PREDICTIVE_HIGH_444 = "predictive-high-444"


class H264Level(NamedTuple):
    """A decoded profile-level-id."""

    profile: H264Profile
    level_idc: int


# (profile_idc, flags that matter, their value, profile), first match wins.
_PROFILES: Final = (
    (0x42, 0x4F, 0x40, H264Profile.CONSTRAINED_BASELINE),
    (0x4D, 0x8F, 0x80, H264Profile.CONSTRAINED_BASELINE),
    (0x58, 0xCF, 0xC0, H264Profile.CONSTRAINED_BASELINE),
    (0x42, 0x4F, 0x00, H264Profile.BASELINE),
    (0x58, 0xCF, 0x80, H264Profile.BASELINE),
    (0x4D, 0xAF, 0x00, H264Profile.MAIN),
    (0x64, 0xFF, 0x00, H264Profile.HIGH),
    (0x64, 0xFF, 0x0C, H264Profile.CONSTRAINED_HIGH),
    (0xF4, 0xFF, 0x00, H264Profile.PREDICTIVE_HIGH_444),
)


def h264_level(profile_level_id: str) -> H264Level:
    """What six hex digits mean (RFC 6184 section 8.1). Raises ValueError."""
    if len(profile_level_id) != 6 or not profile_level_id.isalnum():
        raise ValueError("H264 profile-level-id is not six hex digits")
    idc, flags, level = bytes.fromhex(profile_level_id)
    for want_idc, mask, value, profile in _PROFILES:
        if idc == want_idc and flags & mask == value:
            return H264Level(profile, level)
    raise ValueError("H264 profile is not known")


def matches(one: Codec, other: Codec) -> bool:
    """Whether a packet of `one` is a packet of `other`: the payload type may differ."""
    same = (
        one.name.lower() == other.name.lower()
        and one.clock_rate == other.clock_rate
        and one.channels == other.channels
    )
    if not same:
        return False
    compare = _PARAMETERS.get(one.name.lower())
    return compare is None or compare(one) == compare(other)


def find_codec(wanted: Codec, among: Iterable[Codec]) -> Codec | None:
    """The first of `among` that matches `wanted`."""
    return next((codec for codec in among if matches(wanted, codec)), None)


def _h264(codec: Codec) -> object:
    """Profile and packetization mode; the level may differ between the ends."""
    text = codec.fmtp.get("profile-level-id", _DEFAULT_PROFILE_LEVEL_ID)
    mode = codec.fmtp.get("packetization-mode", "0")
    try:
        return mode, h264_level(text).profile
    except ValueError:
        return mode, text.lower()


def _vp9(codec: Codec) -> object:
    return codec.fmtp.get("profile-id", "0")


def _av1(codec: Codec) -> object:
    return codec.fmtp.get("profile", "0")


_PARAMETERS: Final = {"h264": _h264, "vp9": _vp9, "av1": _av1}
