"""Background tasks with an owner: what was spawned is awaited or cancelled at close."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from signaling.errors import Refused

log = logging.getLogger(__name__)


class Tasks:
    """The tasks of one owner. A task that fails is logged; it never ends its owner."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def spawn(self, work: Coroutine[Any, Any, object], name: str) -> "asyncio.Task[None] | None":
        """Run `work`; after `close` it is dropped unstarted, and None is given."""
        if self._closed:
            work.close()
            return None
        task = asyncio.create_task(_logged(work, name), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def every(self, period_s: float, work: Callable[[], Awaitable[object]], name: str) -> None:
        """Run `work` again and again, `period_s` after it ended. Failures are logged; a part that
        is away (Refused, retryable) is told once, until it is there again.
        """
        self.spawn(_repeated(period_s, work, name), name)

    async def close(self) -> None:
        """Cancel and await all."""
        self._closed = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _logged(work: Coroutine[Any, Any, object], name: str) -> None:
    try:
        await work
    except Exception as error:
        if not _away(error):
            log.exception("task %s failed", name)
        else:
            log.warning("task %s was not done: %s", name, error)


async def _repeated(period_s: float, work: Callable[[], Awaitable[object]], name: str) -> None:
    waits = False
    while True:
        await asyncio.sleep(period_s)
        try:
            await work()
            if waits:
                log.info("task %s is done again", name)
            waits = False
        except Exception as error:
            if not _away(error):
                log.exception("task %s failed; it goes on", name)
            elif not waits:
                log.warning("task %s waits: %s", name, error)
            waits = _away(error)


def _away(error: Exception) -> bool:
    """Whether something we depend on cannot be reached now: expected, and no bug of ours."""
    return isinstance(error, Refused) and error.retryable and error.code != "internal"
