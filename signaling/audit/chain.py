"""The chain: what a record's hash is made of, and whether a run of records holds together. Pure."""

import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec

from signaling.model import AuditEntry

GENESIS = "0" * 64
"""What the first record of an app has as the hash before it."""

_encode = msgspec.json.Encoder(order="deterministic").encode


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One act as it is kept. `details` is JSON text, hashed as it stands."""

    app: str
    number: int
    """From 1, without gaps, for each app."""
    at: int
    actor: str
    action: str
    subject: str
    details: str
    previous: str
    """The hash of the record before."""
    hash: str
    """`sha256(previous + canonical)` in hex, see `hash_of`."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What checking an app's whole trail came to."""

    app: str
    records: int
    head: str
    """The hash of the last good record: keep it elsewhere, and no later change goes unseen."""
    broken_at: int | None = None
    """The number of the first record that is not as it was written."""
    problem: str | None = None


def canonical(record: Record) -> bytes:
    """A record without its hashes: one JSON array, fields in this order."""
    return _encode(
        [
            record.app,
            record.number,
            record.at,
            record.actor,
            record.action,
            record.subject,
            record.details,
        ]
    )


def hash_of(record: Record) -> str:
    """Of the hash before and the canonical record."""
    return hashlib.sha256(record.previous.encode() + canonical(record)).hexdigest()


def following(entry: AuditEntry, number: int, previous: str) -> Record:
    """The record that an entry becomes behind number - 1, whose hash is `previous`."""
    record = Record(
        app=entry.app,
        number=number,
        at=entry.at,
        actor=entry.actor,
        action=entry.action,
        subject=entry.subject,
        details=_encode(entry.details).decode(),
        previous=previous,
        hash="",
    )
    return msgspec.structs.replace(record, hash=hash_of(record))


class Checker:
    """Takes an app's records in order; `verdict` says how far they hold together."""

    def __init__(self, app: str) -> None:
        self._app = app
        self._count, self._head = 0, GENESIS
        self._broken: tuple[int, str] | None = None

    def take(self, records: Iterable[Record]) -> None:
        """More of them. After the first break nothing is looked at any more."""
        for record in records:
            if self._broken is not None:
                return
            problem = self._problem(record)
            if problem is not None:
                self._broken = (record.number, problem)
                return
            self._count, self._head = record.number, record.hash

    def _problem(self, record: Record) -> str | None:
        if record.number != self._count + 1:
            return f"record {self._count + 1} is missing"
        if record.previous != self._head:
            return "it does not follow the record before"
        return None if record.hash == hash_of(record) else "its content is not what was written"

    def verdict(self, head: tuple[int, str]) -> Verdict:
        """`head` is where the trail is known to end: (number, hash)."""
        if self._broken is None and head != (self._count, self._head):
            self._broken = (self._count + 1, f"the trail ends early: {head[0]} were written")
        broken_at, problem = self._broken or (None, None)
        return Verdict(
            app=self._app,
            records=self._count,
            head=self._head,
            broken_at=broken_at,
            problem=problem,
        )


def details_of(record: Record) -> dict[str, Any]:
    """As an object again."""
    found: dict[str, Any] = msgspec.json.decode(record.details)
    return found
