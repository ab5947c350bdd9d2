"""Which of a driver's errors mean that the database is away, and what to tell the caller then."""

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from signaling.errors import Refused

RETRY_AFTER_MS = 1_000

STATEMENT_FAULTS = ("SQLITE_ERROR", "SQLITE_CONSTRAINT", "SQLITE_MISMATCH", "SQLITE_RANGE")
"""SQLite's names for a wrong statement; its other errors are about the file, the disk or a lock."""

UNTRANSLATABLE = ("22021", "22P05")
"""PostgreSQL keeps no zero characters: its SQLSTATE character_not_in_repertoire, and that of one in
JSON, untranslatable_character."""


def translate(error: DBAPIError) -> Exception:
    """Refused unavailable for a locked, full, broken or vanished database, bad_request for text it
    cannot keep; else the error."""
    name = getattr(error.orig, "sqlite_errorname", None)
    if name is not None:
        return error if name.startswith(STATEMENT_FAULTS) else unavailable()
    if getattr(error.orig, "sqlstate", None) in UNTRANSLATABLE:
        return Refused("bad_request", "text cannot have zero characters")
    if error.connection_invalidated or isinstance(error, OperationalError | InterfaceError):
        return unavailable()
    return error


def unavailable() -> Refused:
    """What a caller hears while the database cannot write."""
    return Refused("unavailable", "the database cannot be used now", retry_after_ms=RETRY_AFTER_MS)
