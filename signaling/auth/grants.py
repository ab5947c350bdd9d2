"""What a token allows: reading grants, and asking them."""

from fnmatch import fnmatchcase
from typing import Any

import msgspec

from signaling.errors import Refused
from signaling.model import Grants

MAX_PATTERNS = 100
MAX_PATTERN_CHARS = 256
SOURCES = frozenset({"camera", "microphone", "screen", "screen_audio"})


def parse(raw: Any) -> Grants:
    """Grants of a token's `grants` claim; absent means a plain member's. Raises Refused."""
    if raw is None:
        return Grants()
    try:
        grants = msgspec.convert(raw, Grants)
    except msgspec.ValidationError as error:
        raise Refused("unauthorized", f"token has malformed grants: {error}") from error
    patterns = grants.rooms or ()
    if len(patterns) > MAX_PATTERNS or any(len(p) > MAX_PATTERN_CHARS for p in patterns):
        raise Refused("unauthorized", "token has too many or too long room patterns")
    if unknown := set(grants.publish_sources or ()) - SOURCES:
        raise Refused("unauthorized", f"token names unknown sources: {', '.join(sorted(unknown))}")
    return grants


def allows_room(grants: Grants, room: str) -> bool:
    """Whether a standalone room may be joined: `rooms` are shell-style patterns, `*` any text."""
    return any(fnmatchcase(room, pattern) for pattern in grants.rooms or ())


def allows_source(grants: Grants, source: str) -> bool:
    """Whether a track of this source may be published."""
    if not grants.publish:
        return False
    return grants.publish_sources is None or source in grants.publish_sources
