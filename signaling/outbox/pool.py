"""Deliveries under way: so many at once, and not all of them for one owner."""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Hashable
from typing import Any

from signaling.tasks import Tasks


class Pool:
    """Work by key; a key is under way once at a time."""

    def __init__(self, at_once: int, each: int) -> None:
        # passed in
        self._at_once = at_once
        self._each = each
        # made here
        self._tasks = Tasks()
        self._busy: dict[Hashable, asyncio.Task[None]] = {}
        self._owners: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._busy)

    @property
    def free(self) -> int:
        """How much more may begin."""
        return self._at_once - len(self._busy)

    def full(self) -> list[str]:
        """Owners that have as much under way as they may."""
        return [owner for owner, count in self._owners.items() if count >= self._each]

    def may_begin(self, key: Hashable, owner: str) -> bool:
        """Whether there is room for it."""
        return self.free > 0 and key not in self._busy and self._owners[owner] < self._each

    def begin(self, key: Hashable, owner: str, work: Coroutine[Any, Any, None]) -> bool:
        """Start; False when closed."""
        task = self._tasks.spawn(work, f"deliver for {owner}")
        if task is None:
            return False
        self._busy[key] = task
        self._owners[owner] += 1
        task.add_done_callback(lambda _: self._ended(key, owner))
        return True

    def _ended(self, key: Hashable, owner: str) -> None:
        del self._busy[key]
        self._owners[owner] -= 1
        if not self._owners[owner]:
            del self._owners[owner]

    async def settle(self, timeout_s: float) -> bool:
        """Wait until something ends, or the time is over; False when nothing is under way."""
        if not self._busy:
            return False
        await asyncio.wait(
            self._busy.values(), timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
        )
        return True

    async def close(self) -> None:
        """Break off what is under way."""
        await self._tasks.close()
