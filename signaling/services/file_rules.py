"""What a file may be called, and what a browser may show of it. Pure."""

import re
import unicodedata

from signaling.errors import Refused

NAME_MAX_BYTES = 255
"""What the common file systems take."""

_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
"""Names that Windows gives to devices, whatever their extension."""

_FORBIDDEN = frozenset('/\\<>:"|?*')

_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")
"""type/subtype of RFC 6838 section 4.2."""

OCTETS = "application/octet-stream"

INLINE_TYPES = frozenset(
    {
        "image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp",
        "video/mp4", "video/webm", "video/ogg", "video/quicktime",
        "audio/mpeg", "audio/mp4", "audio/aac", "audio/ogg", "audio/webm", "audio/wav",
        "audio/x-wav", "audio/flac", "audio/x-flac",
    }
)  # fmt: skip
"""What a browser shows without running anything in it: not SVG, HTML, XML or PDF."""


def checked_name(name: str) -> str:
    """The name in NFC. Raises Refused bad_request for what is no plain file name.

    Refused: empty, too long, a path, control or direction-changing characters, names that a file
    system reserves, and leading or trailing characters that some of them drop.
    """
    name = unicodedata.normalize("NFC", name)
    problem = _name_problem(name)
    if problem:
        raise Refused("bad_request", f"file name {problem}")
    return name


def _name_problem(name: str) -> str | None:
    if not name or name in (".", ".."):
        return "is empty or a directory"
    if any(character in _FORBIDDEN for character in name):
        return 'contains a path or one of / \\ < > : " | ? *'
    if any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") for character in name):
        # Cf has the direction overrides that make "exe.png" of "gnp.exe".
        return "contains control characters"
    if len(name.encode()) > NAME_MAX_BYTES:
        return f"is longer than {NAME_MAX_BYTES} bytes"
    if name != name.strip() or name.endswith("."):
        return "begins or ends with a space, or ends with a dot"
    if _RESERVED.fullmatch(name):
        return "is reserved by an operating system"
    return None


def checked_type(declared: str) -> str:
    """The media type in lower case without parameters; octets for anything that is none."""
    plain = declared.split(";", 1)[0].strip().lower()
    return plain if _MEDIA_TYPE.fullmatch(plain) else OCTETS


def served_type(declared: str) -> str:
    """What Content-Type says: the declared type only where showing it is safe."""
    return declared if declared in INLINE_TYPES else OCTETS
