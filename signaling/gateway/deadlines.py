"""A timeout for many short waits, at the price of two dictionary accesses each.

`asyncio.timeout` makes and cancels a timer of the loop, which costs more than most requests do.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

ResultT = TypeVar("ResultT")
LOOKS = 4
"""Times per timeout that the waits are looked at; one may so last a quarter longer."""


class Deadlines:
    """Cancels what takes longer than `timeout_s`. Nothing runs while nothing waits."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._loop: asyncio.AbstractEventLoop | None = None
        self._began: dict[asyncio.Task[Any], float] = {}
        self._overdue: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def run(self, step: Awaitable[ResultT]) -> ResultT:
        """Await `step` in the current task, one at a time. Raises TimeoutError."""
        task = asyncio.current_task()
        assert task is not None
        if self._timer is None:
            self._arm()
        assert self._loop is not None
        self._began[task] = self._loop.time()
        try:
            return await step
        except asyncio.CancelledError:
            if self._over(task) == 0:
                raise TimeoutError from None
            raise
        finally:
            if self._overdue:
                self._over(task)  # if the step made something else of our cancellation
            del self._began[task]

    def _over(self, task: asyncio.Task[Any]) -> int | None:
        """Take our cancellation back, if there was one: how many are left then."""
        if task not in self._overdue:
            return None
        self._overdue.discard(task)
        return task.uncancel()

    def _arm(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(self._timeout_s / LOOKS, self._look)

    def _look(self) -> None:
        self._timer = None
        assert self._loop is not None
        before = self._loop.time() - self._timeout_s
        for task, began in self._began.items():
            if began <= before and task not in self._overdue:
                self._overdue.add(task)
                task.cancel()
        if self._began:
            self._arm()
