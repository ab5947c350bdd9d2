"""Requests that may come twice: the first answer is kept under the caller's `Idempotency-Key`."""

import hashlib
from typing import Protocol

import msgspec

from signaling.auth.sealing import MasterKey, SealBroken
from signaling.errors import Refused
from signaling.ports import Clock

KEPT_MS = 24 * 3600 * 1000
FORGET_S = 3600.0
MAX_KEY_CHARS = 128
RETRY_MS = 1_000


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A request seen before; without `sealed` it is being carried out."""

    fingerprint: str
    sealed: bytes | None


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """An answer as it was given."""

    status: int
    content_type: str
    body: bytes


class Answers(Protocol):
    """Kept answers by name, on disk."""

    async def begin(self, name: str, fingerprint: str, now: int, until: int) -> Kept | None:
        """What is known of this name; None makes the caller the one who carries it out."""

    async def finish(self, name: str, sealed: bytes) -> None: ...

    async def drop(self, name: str) -> None: ...

    async def forget(self, before: int) -> None: ...


class Repeats:
    """Answers may hold a new key's secret, so they are sealed."""

    def __init__(self, answers: Answers, master: MasterKey, clock: Clock) -> None:
        # passed in
        self._answers = answers
        self._master = master
        self._clock = clock

    async def begin(self, name: str, fingerprint: str) -> Answered | None:
        """The first answer; None: carry it out, then `finish` or `drop`. Raises Refused conflict:
        another request under the same key, or the first is not done yet.
        """
        now = self._clock()
        kept = await self._answers.begin(name, fingerprint, now, now + KEPT_MS)
        if kept is None:
            return None
        if kept.fingerprint != fingerprint:
            raise Refused("conflict", "this Idempotency-Key was used for another request")
        if kept.sealed is None:
            raise Refused(
                "conflict",
                "the first request with this Idempotency-Key is not answered yet",
                retryable=True,
                retry_after_ms=RETRY_MS,
            )
        try:
            return msgspec.msgpack.decode(self._master.open(kept.sealed, name), type=Answered)
        except SealBroken as error:
            raise Refused("unavailable", "this answer was sealed under another key") from error

    async def finish(self, name: str, answered: Answered) -> None:
        """Keep the answer for a day."""
        await self._answers.finish(name, self._master.seal(msgspec.msgpack.encode(answered), name))

    async def drop(self, name: str) -> None:
        """Nothing was done: the same key may be used again."""
        await self._answers.drop(name)

    async def forget(self) -> None:
        """Now and then."""
        await self._answers.forget(self._clock())


def name_of(app: str, caller: str, key: str) -> str:
    """The place of one caller's key."""
    return digest(app.encode(), caller.encode(), key.encode())


def digest(*parts: bytes) -> str:
    """SHA-256 over parts, each with its length."""
    made = hashlib.sha256()
    for part in parts:
        made.update(len(part).to_bytes(8, "big") + part)
    return made.hexdigest()
