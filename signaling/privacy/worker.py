"""Does the jobs, one at a time on each Node."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from msgspec.structs import replace

from signaling.errors import Refused
from signaling.ports import BlobStore, Clock
from signaling.privacy.job import Job, Jobs, Kind

log = logging.getLogger(__name__)

HOLD_MS = 60_000
"""Longer than one step of a job takes."""
ATTEMPTS_MAX = 5
EXPIRED_AT_ONCE = 100


class LostError(Exception):
    """Another Node has the job by now."""


Keep = Callable[[int], Awaitable[None]]
"""Called between steps with the number of items done; raises LostError."""


class Work(Protocol):
    """One kind of job. Interrupted, it is begun again from the start, so each step must bear
    repeating."""

    async def run(self, job: Job, keep: Keep) -> Job:
        """The job with its `result`, if it has one. Raises Refused, OSError, LostError."""


class Worker:
    """`round` is run every few seconds, on every Node."""

    def __init__(
        self, jobs: Jobs, works: Mapping[Kind, Work], blobs: BlobStore, holder: str, clock: Clock
    ) -> None:
        # passed in
        self._jobs = jobs
        self._works = works
        self._blobs = blobs
        self._holder = holder
        self._clock = clock
        # made here
        self._turn = asyncio.Lock()

    async def round(self) -> None:
        """Do every job that waits, then delete archives whose time is over."""
        async with self._turn:
            while job := await self._take():
                await self._do(job)
            await self._clear()

    async def _clear(self) -> None:
        for job in await self._jobs.expired(self._clock(), EXPIRED_AT_ONCE):
            if job.result is not None:
                await self._blobs.delete(job.result)
            await self._jobs.forget_result(job.id)

    async def _take(self) -> Job | None:
        now = self._clock()
        return await self._jobs.take(self._holder, now, now + HOLD_MS)

    async def _do(self, job: Job) -> None:
        try:
            ended = await self._works[job.kind].run(job, self._keeper(job))
        except LostError:
            log.info("%s %s goes on elsewhere", job.kind, job.id)
            return
        except (Refused, OSError) as error:
            ended = _again(job, error)
        else:
            ended = replace(ended, state="done", error=None)
        await self._jobs.finish(replace(ended, updated_at=self._clock()), self._holder)

    def _keeper(self, job: Job) -> Keep:
        async def keep(items: int) -> None:
            now = self._clock()
            if not await self._jobs.keep(job.id, self._holder, now, now + HOLD_MS, items):
                raise LostError

        return keep


def _again(job: Job, error: Refused | OSError) -> Job:
    """Queued once more, after what else waits, unless it has failed too often."""
    text = error.message if isinstance(error, Refused) else (error.strerror or "disk error")
    log.warning("%s %s, attempt %d: %s", job.kind, job.id, job.attempts, text)
    state = "failed" if job.attempts >= ATTEMPTS_MAX else "queued"
    return replace(job, state=state, error=text)
