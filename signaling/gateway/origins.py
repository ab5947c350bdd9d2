"""Which pages may connect."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def allowed(origin: str | None, patterns: Sequence[str]) -> bool:
    """Whether an Origin header matches one of the patterns (`*` is any, `https://*.example.com`).

    No header is no browser, so there is no page to guard against.
    """
    if origin is None:
        return True
    origin = origin.lower()
    return any(origin == p.lower() or fnmatchcase(origin, p.lower()) for p in patterns)


def origin_of(url: str) -> str:
    """The Origin header of pages from a URL (RFC 6454, section 6.2), or "" for what is none."""
    scheme, _, rest = url.lower().partition("://")
    host = rest.partition("/")[0]
    return f"{scheme}://{host.removesuffix(DEFAULT_PORTS.get(scheme, ' '))}" if host else ""
