"""Session descriptions as browsers write them (RFC 8866, RFC 8829): text <-> typed values.

`parse` raises ValueError only and is bounded; `serialize` of what was parsed parses equal again.
"""

from media.wire.sdp.candidate import Candidate
from media.wire.sdp.matching import H264Level, find_codec, h264_level, matches
from media.wire.sdp.reading import MAX_BYTES, MAX_MEDIAS, parse
from media.wire.sdp.values import Codec, Direction, Fingerprint, Media, Rid, Session
from media.wire.sdp.writing import serialize

__all__ = [
    "MAX_BYTES",
    "MAX_MEDIAS",
    "Candidate",
    "Codec",
    "Direction",
    "Fingerprint",
    "H264Level",
    "Media",
    "Rid",
    "Session",
    "find_codec",
    "h264_level",
    "matches",
    "parse",
    "serialize",
]
