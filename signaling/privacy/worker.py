"""Does the jobs, one at a time on each Node."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import NoReturn, Protocol

from msgspec.structs import replace

from signaling.errors import Refused
from signaling.ports import BlobStore, Clock
from signaling.privacy.job import Job, Jobs, Kind

log = logging.getLogger(__name__)

HOLD_MS = 60_000
"""A Node that has a job and does not say so for this long is taken for dead."""
BEAT_S = 15.0
ATTEMPTS_MAX = 5
BACKOFF_MS = 10_000
"""Before the second attempt; before each later one four times as long."""
EXPIRED_AT_ONCE = 100


class LostError(Exception):
    """Another Node has the job by now, or it was called off."""


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
        self,
        jobs: Jobs,
        works: Mapping[Kind, Work],
        blobs: BlobStore,
        holder: str,
        clock: Clock,
        beat_s: float = BEAT_S,
    ) -> None:
        # passed in
        self._jobs = jobs
        self._works = works
        self._blobs = blobs
        self._holder = holder
        self._clock = clock
        self._beat_s = beat_s
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
        return await self._jobs.take(self._holder, now, now + HOLD_MS, ATTEMPTS_MAX)

    async def _do(self, job: Job) -> None:
        try:
            ended = await self._held(job)
        except LostError:
            log.info("%s %s is no longer ours", job.kind, job.id)
            return
        except (Refused, OSError) as error:
            ended = _again(job, error.message if isinstance(error, Refused) else _told(error))
        except Exception as error:
            # Ours to fix, but this job must not keep the others waiting for ever.
            log.exception("%s %s", job.kind, job.id)
            ended = _again(job, type(error).__name__)
        else:
            ended = replace(ended, state="done", error=None)
        await self._finish(replace(ended, updated_at=self._clock()))

    async def _finish(self, job: Job) -> None:
        not_before = None
        if job.state == "queued":
            not_before = job.updated_at + BACKOFF_MS * 4 ** (job.attempts - 1)
        if not await self._jobs.finish(job, self._holder, not_before) and job.result is not None:
            await self._blobs.delete(job.result)  # of this attempt only, and nobody knows of it

    async def _held(self, job: Job) -> Job:
        """The work, with the job kept however long one step takes. Raises what it raises."""
        holding = _Holding(self._jobs, job, self._holder, self._clock)
        work = asyncio.create_task(self._works[job.kind].run(job, holding.keep))
        beat = asyncio.create_task(holding.beat(self._beat_s))
        try:
            await asyncio.wait((work, beat), return_when=asyncio.FIRST_COMPLETED)
            return work.result() if work.done() else beat.result()
        finally:
            for task in (work, beat):
                task.cancel()
            await asyncio.gather(work, beat, return_exceptions=True)


class _Holding:
    """A job while this Node has it."""

    def __init__(self, jobs: Jobs, job: Job, holder: str, clock: Clock) -> None:
        self._jobs = jobs
        self._job = job
        self._holder = holder
        self._clock = clock
        self._items = 0

    async def keep(self, items: int) -> None:
        """See Keep."""
        now, self._items = self._clock(), items
        if not await self._jobs.keep(self._job.id, self._holder, now, now + HOLD_MS, items):
            raise LostError

    async def beat(self, period_s: float) -> NoReturn:
        """Keep it until it is lost. Raises LostError."""
        while True:
            await asyncio.sleep(period_s)
            try:
                await self.keep(self._items)
            except Refused as refused:  # others cannot take it then either
                log.warning("%s %s: %s", self._job.kind, self._job.id, refused.message)


def _told(error: OSError) -> str:
    return error.strerror or "disk error"


def _again(job: Job, text: str) -> Job:
    """Queued once more, unless it has failed too often."""
    log.warning("%s %s, attempt %d: %s", job.kind, job.id, job.attempts, text)
    state = "failed" if job.attempts >= ATTEMPTS_MAX else "queued"
    return replace(job, state=state, error=text)
