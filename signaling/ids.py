"""Identifiers: UUIDv7 in hex behind a letter that names the kind (RFC 9562 section 5.7)."""

import hashlib
import os
import time
from collections.abc import Iterable

_VERSION = 0x7 << 12
_VARIANT = 0b10 << 62


def new(kind: str) -> str:
    """A fresh id of a kind, such as `c_0192f0a1…`; ids sort by the millisecond they were made in."""
    high = (time.time_ns() // 1_000_000) << 16
    rand = int.from_bytes(os.urandom(10), "big")
    low = _VARIANT | (rand & 0x3FFF_FFFF_FFFF_FFFF)
    return f"{kind}_{high | _VERSION | (rand >> 68):016x}{low:016x}"


def of(kind: str, parts: Iterable[str]) -> str:
    """The one id that follows from `parts`: the same wherever it is made."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        encoded = part.encode()
        digest.update(len(encoded).to_bytes(4, "big") + encoded)
    return f"{kind}_{digest.hexdigest()}"
