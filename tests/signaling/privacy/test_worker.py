"""Who does a job keeps it, however long a step takes, and however it ends."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from signaling.adapters.blobs import ObjectBlobs, open_blobs
from signaling.adapters.sql import Database, open_database
from signaling.adapters.sql.jobs import SqlJobs
from signaling.errors import Refused
from signaling.privacy.job import Job
from signaling.privacy.worker import ATTEMPTS_MAX, BACKOFF_MS, HOLD_MS, Keep, Worker

Do = Callable[[Job, Keep], Awaitable[Job]]


class Doing:
    """A Work that does what a test says."""

    def __init__(self, do: Do) -> None:
        self.run = do


class WatchedJobs(SqlJobs):
    """Says when somebody kept a job."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._at, self._changed = 0, asyncio.Event()

    async def keep(self, job: str, holder: str, now: int, until: int, items: int) -> bool:
        kept = await super().keep(job, holder, now, until, items)
        self._at = now
        self._changed.set()
        return kept

    async def kept_at(self, now: int) -> None:
        """Return when it was kept at that time."""
        while self._at != now:
            self._changed.clear()
            await self._changed.wait()


class Bench:
    """Jobs in SQLite, and Workers of several nodes on them."""

    def __init__(self, jobs: WatchedJobs, blobs: ObjectBlobs) -> None:
        self.jobs, self.blobs, self.now = jobs, blobs, 1_000_000

    def worker(self, node: str, do: Do, beat_s: float = 60.0) -> Worker:
        works = {"export": Doing(do), "erase": Doing(do)}
        return Worker(self.jobs, works, self.blobs, node, lambda: self.now, beat_s)

    async def ask(self, job: str, user: str = "ann") -> None:
        asked = Job(
            id=job, app="app", kind="export", user=user, created_at=self.now, updated_at=self.now
        )
        await self.jobs.put(asked)

    async def state(self, job: str) -> str:
        found = await self.jobs.get(job)
        assert found is not None
        return found.state


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    database = await open_database(f"sqlite:///{tmp_path / 'log.db'}")
    yield Bench(WatchedJobs(database), open_blobs("", tmp_path / "blobs"))
    await database.close()


async def nothing(job: Job, keep: Keep) -> Job:
    return job


async def test_one_long_step_does_not_lose_the_job(bench: Bench) -> None:
    begun, go_on, done_by = asyncio.Event(), asyncio.Event(), []

    async def slow(job: Job, keep: Keep) -> Job:
        begun.set()
        await go_on.wait()
        done_by.append("one")
        return job

    async def other(job: Job, keep: Keep) -> Job:
        done_by.append("two")
        return job

    await bench.ask("job_1")
    one, two = bench.worker("one", slow, beat_s=0.01), bench.worker("two", other)
    working = asyncio.create_task(one.round())
    await begun.wait()
    for _ in range(3):
        bench.now += HOLD_MS - 1
        async with asyncio.timeout(60):
            await bench.jobs.kept_at(bench.now)
        await two.round()
    go_on.set()
    await working
    assert done_by == ["one"]
    assert await bench.state("job_1") == "done"


async def test_who_has_lost_a_job_is_stopped_in_the_middle(bench: Bench) -> None:
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def endless(job: Job, keep: Keep) -> Job:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        return job

    await bench.ask("job_1")
    working = asyncio.create_task(bench.worker("one", endless, beat_s=0.01).round())
    await begun.wait()
    await bench.jobs.call_off("app", "ann", "erased", bench.now)
    async with asyncio.timeout(60):
        await stopped.wait()
        await working
    assert await bench.state("job_1") == "failed"


@pytest.mark.parametrize("error", [ValueError("ours"), Refused("unavailable", "away")])
async def test_a_job_that_fails_is_given_up_and_others_have_their_turn(
    bench: Bench, error: Exception
) -> None:
    async def poison(job: Job, keep: Keep) -> Job:
        if job.id == "job_1":
            raise error
        return job

    await bench.ask("job_1")
    await bench.ask("job_2", "bob")
    worker = bench.worker("one", poison)
    for attempt in range(ATTEMPTS_MAX):
        await worker.round()
        assert await bench.state("job_2") == "done"
        state = await bench.state("job_1")
        assert state == ("failed" if attempt == ATTEMPTS_MAX - 1 else "queued")
        bench.now += BACKOFF_MS * 4**attempt
    await worker.round()
    found = await bench.jobs.get("job_1")
    assert found is not None
    assert (found.attempts, found.error is not None) == (ATTEMPTS_MAX, True)


async def test_an_archive_nobody_may_have_is_not_left_behind(bench: Bench, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"private")

    async def late(job: Job, keep: Keep) -> Job:
        await bench.blobs.put_file("exports/app/one.zip", str(source))
        await bench.jobs.call_off("app", "ann", "erased", bench.now)
        return replace(job, result="exports/app/one.zip")

    await bench.ask("job_1")
    await bench.worker("one", late).round()
    assert await bench.blobs.size("exports/app/one.zip") is None
    assert await bench.state("job_1") == "failed"
