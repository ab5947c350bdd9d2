"""An app's own allow-list of pages, in its settings."""

from typing import Any

from signaling.errors import Refused

MAX_ORIGINS = 100
MAX_ORIGIN_CHARS = 300


def check_origins(origins: Any) -> None:
    """Raises Refused bad_request for what no Origin header (RFC 6454, section 7) could match."""
    if not isinstance(origins, list) or len(origins) > MAX_ORIGINS:
        raise Refused("bad_request", f"`origins` is a list of at most {MAX_ORIGINS} patterns")
    for number, pattern in enumerate(origins):
        if not isinstance(pattern, str) or not 0 < len(pattern) <= MAX_ORIGIN_CHARS:
            raise Refused("bad_request", f"origins[{number}] is no text like https://*.example.com")
        if pattern != "*" and ("://" not in pattern or pattern.count("/") != 2):
            raise Refused("bad_request", f"origins[{number}] has to be scheme://host[:port]")
