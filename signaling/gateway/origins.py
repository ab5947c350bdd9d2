"""Which pages may connect."""

from collections.abc import Sequence
from fnmatch import fnmatchcase


def allowed(origin: str | None, patterns: Sequence[str]) -> bool:
    """Whether an Origin header matches one of the patterns (`*` is any, `https://*.example.com`).

    No header is no browser, so there is no page to guard against.
    """
    if origin is None:
        return True
    origin = origin.lower()
    return any(origin == p.lower() or fnmatchcase(origin, p.lower()) for p in patterns)
