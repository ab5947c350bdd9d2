"""Deliveries under way: so many at once, and not all of them for one owner."""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Hashable
from typing import Any

from signaling.tasks import Tasks

Owner = tuple[str, str]
"""(kind, name)."""


class Pool:
    """Work by key; a key is under way once at a time. `each` is how much of one owner's is, by the
    owner's kind (`{"app": 16}`).
    """

    def __init__(self, at_once: int, **each: int) -> None:
        # passed in
        self._at_once = at_once
        self._each = each
        # made here
        self._tasks = Tasks()
        self._busy: dict[Hashable, asyncio.Task[None]] = {}
        self._owners: Counter[Owner] = Counter()

    def __len__(self) -> int:
        return len(self._busy)

    def keys(self) -> frozenset[Hashable]:
        """What is under way. Ask before reading what is due: of these keys, what is read may be
        over by the time it is read.
        """
        return frozenset(self._busy)

    def ended(self, key: Hashable) -> bool:
        """Whether one of those `keys` is under way no more: it is worth reading again."""
        return key not in self._busy

    @property
    def free(self) -> int:
        """How much more may begin."""
        return self._at_once - len(self._busy)

    def full(self, kind: str) -> list[str]:
        """Owners of a kind that have as much under way as they may."""
        most = self._each[kind]
        return [name for (of, name), count in self._owners.items() if of == kind and count >= most]

    def may_begin(self, key: Hashable, **owners: str) -> bool:
        """Whether there is room for it."""
        room = all(self._owners[owner] < self._each[owner[0]] for owner in owners.items())
        return self.free > 0 and key not in self._busy and room

    def begin(self, key: Hashable, work: Coroutine[Any, Any, None], **owners: str) -> bool:
        """Start; False when closed."""
        task = self._tasks.spawn(work, f"deliver for {owners}")
        if task is None:
            return False
        self._busy[key] = task
        self._owners.update(owners.items())
        task.add_done_callback(lambda _: self._ended(key, owners))
        return True

    def _ended(self, key: Hashable, owners: dict[str, str]) -> None:
        del self._busy[key]
        self._owners.subtract(owners.items())
        self._owners += Counter()  # without those that have nothing

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
