"""Background tasks: what fails goes on, and says so once for as long as it is somebody else's."""

from __future__ import annotations

import asyncio
import logging

import pytest

from signaling.errors import Refused
from signaling.tasks import Tasks

AWAY = Refused("unavailable", "Redis is away")


def said(caplog: pytest.LogCaptureFixture) -> list[tuple[str, bool]]:
    """(level, whether with a traceback) of what tasks say: others may speak of what they left."""
    ours = (record for record in caplog.records if record.name == "signaling.tasks")
    return [(record.levelname, record.exc_info is not None) for record in ours]


async def test_an_outage_is_told_once_and_a_bug_each_time(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "signaling.tasks")
    outcomes: list[Exception | None] = [AWAY] * 3 + [None, AWAY, KeyError("bug"), KeyError("bug")]
    done = asyncio.Event()

    async def work() -> None:
        if not outcomes:
            done.set()
            return
        outcome = outcomes.pop(0)
        if outcome is not None:
            raise outcome

    tasks = Tasks()
    tasks.every(0, work, "x")
    async with asyncio.timeout(30):
        await done.wait()
    await tasks.close()
    told = said(caplog)
    away, back, bug = ("WARNING", False), ("INFO", False), ("ERROR", True)
    assert told == [away, back, away, bug, bug]


async def test_one_task_that_finds_a_part_away_leaves_no_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def work(error: Exception) -> None:
        raise error

    tasks = Tasks()
    for error in (AWAY, Refused("forbidden", "not expected here")):
        task = tasks.spawn(work(error), "x")
        assert task is not None
        await task
    assert said(caplog) == [("WARNING", False), ("ERROR", True)]
    await tasks.close()
