"""Gathers calls that wait for the database into one operation: they share its statements, and the
way to the database's thread and back.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from sqlalchemy import Connection

from signaling.errors import Refused

T = TypeVar("T")
I = TypeVar("I")  # noqa: E741 - an item
O = TypeVar("O")  # noqa: E741 - its outcome

MAX_ITEMS = 512
MANY = 8
"""Items in a group: where as many come at a time, the next group is worth waiting for."""
READ_LANES = 2
"""Where one item may take long: the others go past it. As many as SQLite has readers."""


class Run(Protocol):
    """`Database.write` or `Database.read`."""

    async def __call__(self, op: Callable[[Connection], T], /) -> T: ...


class Gather(Generic[I, O]):
    """While the database is busy with a group, the next one collects. Outcomes keep the order of
    the items.

    `op(connection, items)` gives one outcome per item; a Refused is raised to its caller. Items it
    has no outcome for, at the end and never all, come again first in the next group. A group that
    fails as a whole is tried item by item, unless the database is away: what is wrong with one is
    no trouble of the others.

    With a pace, a group that follows one of many begins no sooner than so long after it. Each
    group costs a way to the database's thread and back, and a commit: at thousands of items a
    second, fewer and larger groups leave everyone more time than the wait takes.
    """

    def __init__(
        self,
        run: Run,
        op: Callable[[Connection, Sequence[I]], Sequence[O | Refused]],
        *,
        most: int = MAX_ITEMS,
        lanes: int = 1,
        pace_s: float = 0,
    ) -> None:
        """At most so many items in a group, and so many groups on their way."""
        # passed in
        self._run = run
        self._op = op
        self._most = most
        self._pace_s = pace_s
        # made here
        self._free = lanes
        self._waiting: list[tuple[I, asyncio.Future[O]]] = []
        self._alone = 0
        """So many of the first that wait go one by one."""
        self._tasks: set[asyncio.Task[None]] = set()

    async def submit(self, item: I) -> O:
        """The outcome of `item`: written, once it is on disk; read after this call."""
        future: asyncio.Future[O] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._free:
            self._free -= 1
            task = asyncio.create_task(self._flush(), name="gather-flush")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await future

    async def _flush(self) -> None:
        """Ends when nothing waits; every outcome, also a failure, goes to the futures."""
        loop, due = asyncio.get_running_loop(), 0.0
        try:
            while self._waiting:
                if (early := due - loop.time()) > 0:
                    await asyncio.sleep(early)
                    continue
                group = self._next()
                due = loop.time() + (self._pace_s if len(group) >= MANY else 0)
                await self._carry_out(group)
        finally:
            self._free += 1
            waiting, self._waiting, self._alone = self._waiting, [], 0
            _fail(waiting, asyncio.CancelledError())

    def _next(self) -> "list[tuple[I, asyncio.Future[O]]]":
        most = 1 if self._alone else self._most
        self._alone = max(0, self._alone - 1)
        group, self._waiting = self._waiting[:most], self._waiting[most:]
        return group

    async def _carry_out(self, group: list[tuple[I, "asyncio.Future[O]"]]) -> None:
        items = [item for item, _ in group]
        try:
            outcomes = await self._run(lambda connection: self._op(connection, items))
        except Exception as error:  # noqa: BLE001 - handed to every caller of the group
            if len(group) == 1 or _away(error):
                _fail(group, error)
            else:
                self._waiting[:0] = group
                self._alone += len(group)
            return
        except asyncio.CancelledError as error:
            _fail(group, error)
            raise
        self._waiting[:0] = group[len(outcomes) :]
        for (_, future), outcome in zip(group, outcomes, strict=False):
            _settle(future, outcome)


def _away(error: Exception) -> bool:
    return isinstance(error, Refused) and error.retryable


def _settle(future: "asyncio.Future[O]", outcome: O | Refused) -> None:
    if future.done():
        return
    if isinstance(outcome, Refused):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


def _fail(group: list[tuple[I, "asyncio.Future[O]"]], error: BaseException) -> None:
    for _, future in group:
        if future.done():
            continue
        if isinstance(error, asyncio.CancelledError):
            future.cancel()
        else:
            future.set_exception(error)
