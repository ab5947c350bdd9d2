"""Work on one User's data that takes a while: asked for once, done by one Node, finished by another
if that one dies."""

from typing import Literal, Protocol

import msgspec

from signaling.services.file_sweep import EXPORTS

Kind = Literal["export", "erase"]
State = Literal["queued", "running", "done", "failed"]
"""queued -> running -> done | failed; running goes on elsewhere once `held_until` has passed."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One export or erasure."""

    id: str
    app: str
    kind: Kind
    user: str
    state: State = "queued"
    created_at: int
    updated_at: int
    attempts: int = 0
    items: int = 0
    """Messages and files dealt with by this attempt."""
    error: str | None = None
    result: str | None = None
    """Key of the archive, in the BlobStore."""
    expires_at: int | None = None
    """When the archive is deleted, UTC ms."""


def archive_of(job: Job, attempt: int) -> str:
    """Key of what one attempt at an export makes: each its own, so that none touches another's."""
    return f"{EXPORTS}/{job.app}/{job.id}-{attempt}.zip"


class Jobs(Protocol):
    """The rows of jobs. What a method answered is on disk."""

    async def put(self, job: Job) -> Job:
        """Insert, or give back the one of this app, kind and user that is not finished."""

    async def get(self, job: str) -> Job | None: ...

    async def all(self, app: str, before: str | None, limit: int) -> list[Job]:
        """The newest first, those made before the job `before`."""

    async def take(self, holder: str, now: int, until: int, attempts: int) -> Job | None:
        """The oldest whose time has come, or whose holder's time is over; nobody else gets it
        before `until`. One that was begun `attempts` times has failed."""

    async def keep(self, job: str, holder: str, now: int, until: int, items: int) -> bool:
        """Hold it longer; False when it is another's by now."""

    async def finish(self, job: Job, holder: str, not_before: int | None = None) -> bool:
        """Write how it ended, or that it shall be tried again at `not_before`; False when it is
        another's, or was called off."""

    async def exports(self, app: str, user: str) -> list[Job]:
        """All that were asked for of a User."""

    async def call_off(self, app: str, user: str, error: str, now: int) -> None:
        """Exports of a User that are not finished have failed; who is at one has lost it."""

    async def expired(self, now: int, limit: int) -> list[Job]:
        """Those whose archive's time is over."""

    async def forget_result(self, job: str) -> None:
        """Its archive is deleted."""
