"""Background tasks with an owner: what was spawned is awaited or cancelled at close."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

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
        """Run `work` again and again, `period_s` after it ended; failures are logged."""
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
    except Exception:
        log.exception("task %s failed", name)


async def _repeated(period_s: float, work: Callable[[], Awaitable[object]], name: str) -> None:
    while True:
        await asyncio.sleep(period_s)
        try:
            await work()
        except Exception:
            log.exception("task %s failed; it goes on", name)
