"""Keyframe requests to one Producer layer: many ask, few are sent (RFC 4585 section 6.3.1)."""

from typing import Final

MIN_SPACING_S: Final = 0.3
"""An encoder that gets two requests closer than this answers both with one keyframe anyway."""
REFILL_PER_S: Final = 1.0
BURST: Final = 3.0
"""Three viewers that join one after the other each see a picture at once; a crowd shares."""
FIRST_RETRY_S: Final = 0.5
MAX_RETRY_S: Final = 4.0
MAX_RETRIES: Final = 8


class KeyframeRequests:
    """Coalesces, throttles and repeats. Every True means: send one PLI (or FIR) now."""

    __slots__ = ("_attempts", "_last_sent", "_refilled", "_retry_at", "_tokens", "_wanted")

    def __init__(self) -> None:
        self._wanted = False
        self._attempts = 0
        self._last_sent = float("-inf")
        self._refilled = 0.0
        self._retry_at = 0.0
        self._tokens = BURST

    @property
    def pending(self) -> bool:
        """Somebody waits for a keyframe."""
        return self._wanted

    def ask(self, now: float) -> bool:
        """Somebody needs a keyframe. True: send now; else a later tick may, or one is coming."""
        if self._wanted:
            # After the last retry only a new wish starts over.
            if self._attempts > MAX_RETRIES and now >= self._retry_at:
                self._attempts = 0
                return self._send(now)
            return False
        self._wanted = True
        self._attempts = 0
        return self._send(now)

    def arrived(self) -> None:
        """A keyframe came: everyone is served."""
        self._wanted = False

    def tick(self, now: float) -> bool:
        """True when a delayed or repeated request is due."""
        if not self._wanted or self._attempts > MAX_RETRIES:
            return False
        if self._attempts and now < self._retry_at:
            return False
        return self._send(now)

    def _send(self, now: float) -> bool:
        self._tokens = min(BURST, self._tokens + (now - self._refilled) * REFILL_PER_S)
        self._refilled = now
        if now - self._last_sent < MIN_SPACING_S or self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        self._last_sent = now
        self._retry_at = now + min(FIRST_RETRY_S * 2**self._attempts, MAX_RETRY_S)
        self._attempts += 1
        return True
