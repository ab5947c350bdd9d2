"""Identifiers: UUIDv7 in hex behind a letter that names the kind (RFC 9562 section 5.7)."""

import hashlib
import os
import re
import time
from collections.abc import Iterable, Iterator

SHAPE = r"[a-z]+_[0-9a-f]{32}"
"""What every id looks like, and no name that people give."""

_shape = re.compile(SHAPE)
_VERSION = 0x7 << 12
_VARIANT = 0b10 << 62
_POOL_IDS = 512


def _random() -> Iterator[int]:
    """80 random bits at a time. Asking the system for each would give up Python's lock each time,
    and on a busy server that waits longer than the rest of a send takes.
    """
    while True:
        pool = os.urandom(10 * _POOL_IDS)
        for start in range(0, len(pool), 10):
            yield int.from_bytes(pool[start : start + 10], "big")


_numbers = _random()


def _forget() -> None:
    """A forked child must not repeat its parent's numbers."""
    global _numbers  # noqa: PLW0603 - the pool belongs to the process
    _numbers = _random()


os.register_at_fork(after_in_child=_forget)


def new(kind: str) -> str:
    """A fresh id of a kind, such as `c_0192f0a1…`; ids sort by the millisecond they were made in.

    For the event loop's thread. Ids name things; they are not secrets.
    """
    high = (time.time_ns() // 1_000_000) << 16
    rand = next(_numbers)
    low = _VARIANT | (rand & 0x3FFF_FFFF_FFFF_FFFF)
    return f"{kind}_{high | _VERSION | (rand >> 68):016x}{low:016x}"


def of(kind: str, parts: Iterable[str]) -> str:
    """The one id that follows from `parts`: the same wherever it is made."""
    return _hashed(kind, b"".join(_measured(part.encode()) for part in parts))


def of_bytes(kind: str, part: bytes) -> str:
    """The same of one part."""
    return _hashed(kind, _measured(part))


def _measured(part: bytes) -> bytes:
    return len(part).to_bytes(4, "big") + part


def _hashed(kind: str, data: bytes) -> str:
    return f"{kind}_{hashlib.blake2b(data, digest_size=16).hexdigest()}"


def fits(text: str) -> bool:
    """Whether `text` looks like an id."""
    return _shape.fullmatch(text) is not None
