"""Which of a driver's errors mean that the database is away, and what to tell the caller then."""

from sqlalchemy.exc import DBAPIError, IntegrityError

from signaling.errors import Refused

RETRY_AFTER_MS = 1_000


def translate(error: DBAPIError) -> Exception:
    """Refused unavailable for a locked, full, broken or vanished database; else the error itself."""
    if isinstance(error, IntegrityError):
        return error
    return unavailable()


def unavailable() -> Refused:
    """What a caller hears while the database cannot write."""
    return Refused("unavailable", "the database cannot be used now", retry_after_ms=RETRY_AFTER_MS)
