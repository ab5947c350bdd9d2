"""Gathers calls that wait for the database into one operation: they share its statements."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from sqlalchemy import Connection

from signaling.adapters.sql.database import Database
from signaling.errors import Refused

I = TypeVar("I")  # noqa: E741 - an item
O = TypeVar("O")  # noqa: E741 - its outcome

MAX_ITEMS = 512


class Gather(Generic[I, O]):
    """While one group is being written, the next one collects. Outcomes keep the order of the
    items.

    `op(connection, items)` gives one outcome per item; a Refused is raised to its caller.
    """

    def __init__(
        self, database: Database, op: Callable[[Connection, Sequence[I]], Sequence[O | Refused]]
    ) -> None:
        self._database = database
        self._op = op
        self._waiting: list[tuple[I, asyncio.Future[O]]] = []
        self._task: asyncio.Task[None] | None = None

    async def submit(self, item: I) -> O:
        """The outcome of `item`, once it is on disk."""
        future: asyncio.Future[O] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._task is None:
            self._task = asyncio.create_task(self._flush(), name="gather-flush")
        return await future

    async def _flush(self) -> None:
        """Ends when nothing waits; every outcome, also a failure, goes to the futures."""
        try:
            while self._waiting:
                group, self._waiting = self._waiting[:MAX_ITEMS], self._waiting[MAX_ITEMS:]
                await self._write(group)
        finally:
            self._task = None
            _fail(self._waiting, asyncio.CancelledError())

    async def _write(self, group: list[tuple[I, "asyncio.Future[O]"]]) -> None:
        items = [item for item, _ in group]
        try:
            outcomes = await self._database.write(lambda connection: self._op(connection, items))
        except Exception as error:  # noqa: BLE001 - handed to every caller of the group
            _fail(group, error)
            return
        except asyncio.CancelledError as error:
            _fail(group, error)
            raise
        for (_, future), outcome in zip(group, outcomes, strict=True):
            if future.done():
                continue
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
