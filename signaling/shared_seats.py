"""Places of all nodes together. A node says how many it holds of a key, not who they are: what it
says is one number that it alone writes, and that goes with it when it dies.

Whoever comes while one batch is on its way to the ledger goes with the next: a crowd costs few
crossings, one alone waits for one.
"""

import asyncio
import logging
import uuid
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice, takewhile
from typing import Final

from signaling.errors import Refused
from signaling.ports import Claim, Ledger
from signaling.tasks import Tasks

log = logging.getLogger(__name__)

BEAT_S: Final = 3.0
"""Three times within the period after which the ledger forgets who says nothing."""
PATIENCE_S: Final = 1.0
"""A ledger that takes longer is away: whoever waits for it is counted here alone."""
BATCH: Final = 200
REPEAT_S: Final = 1200.0
"""What did not change is said again after so long: the ledger keeps a key for an hour."""


@dataclass(slots=True)
class _Entry:
    """What this node has of one key."""

    limit: int
    held: int = 0
    waiting: deque[asyncio.Future[bool]] = field(default_factory=deque)

    def claim(self, key: str) -> Claim:
        waiting = sum(not asked.done() for asked in self.waiting)
        wanted = min(self.limit, self.held + waiting)
        return Claim(key, self.held, max(self.held, wanted), self.limit)

    def answer(self, count: int, granted: int) -> int:
        """Seat as many of the first `count` who wait; how many seats nobody wanted any more."""
        for _ in range(count):
            asked = self.waiting.popleft()
            if not asked.done():
                seated = granted > 0
                self.held += seated
                granted -= seated
                asked.set_result(seated)
        return granted


class Roll:
    """All seats of one node. While the ledger is away the node counts by itself."""

    def __init__(self, ledger: Ledger, node: str) -> None:
        # passed in
        self._ledger = ledger
        # made here
        self._holder = f"{node}/{uuid.uuid4().hex}"
        """A process that starts anew has nothing of what its name held before."""
        self._entries: dict[str, _Entry] = {}
        self._due: dict[str, None] = {}
        """Keys to tell of, in order."""
        self._told_at: dict[str, float] = {}
        """When keys were told of, the longest ago first."""
        self._news = asyncio.Event()
        self._away = False
        self._tasks = Tasks()
        self._loop = asyncio.get_running_loop()

    def start(self) -> None:
        """Say what this node holds, from now on."""
        self._tasks.every(0, self._round, "tell of seats")

    async def close(self) -> None:
        """Give everything up."""
        await self._tasks.close()
        try:
            await self._ledger.withdraw(self._holder)
        except Refused as error:
            log.warning("cannot give seats up: %s", error.message)

    def seats(self, kind: str, limit: int) -> "SharedSeats":
        """So many for each key of a kind."""
        return SharedSeats(kind, limit, self)

    def __len__(self) -> int:
        return len(self._entries)

    async def take(self, key: str, limit: int) -> bool:
        """One seat more; False when there is none."""
        held = self._entries[key].held if key in self._entries else 0
        if held >= limit:
            return False
        entry = self._entries.setdefault(key, _Entry(limit))
        if self._away:
            entry.held += 1
            self._due[key] = None
            return True
        asked: asyncio.Future[bool] = self._loop.create_future()
        entry.waiting.append(asked)
        self._tell_of(key)
        try:
            return await asked
        except asyncio.CancelledError:
            if asked.done() and not asked.cancelled() and asked.result():
                self.leave(key)
            raise

    def leave(self, key: str) -> None:
        """One seat less."""
        entry = self._entries[key]
        entry.held -= 1
        if self._away and not entry.held and key in self._due and key not in self._told_at:
            del self._entries[key], self._due[key]  # nobody heard of it, or is just being told
            return
        self._tell_of(key)

    def _tell_of(self, key: str) -> None:
        self._due[key] = None
        if not self._away:
            self._news.set()

    async def _round(self) -> None:
        """Tell what there is to tell; every few seconds, that we live."""
        with suppress(TimeoutError):
            async with asyncio.timeout(BEAT_S):
                await self._news.wait()
        self._news.clear()
        self._due.update(dict.fromkeys(self._faded()))
        batch = {key: len(self._entries[key].waiting) for key in islice(self._due, BATCH)}
        for key in batch:
            del self._due[key]
        await self._tell(batch)
        if self._due and not self._away:
            self._news.set()

    def _faded(self) -> Iterator[str]:
        """Keys told of so long ago that the ledger may forget them."""
        before = self._loop.time() - REPEAT_S
        old = takewhile(lambda key: self._told_at[key] < before, self._told_at)
        return islice(old, BATCH)

    async def _tell(self, batch: dict[str, int]) -> None:
        """One crossing; `batch` says how many wait for each key."""
        claims = [self._entries[key].claim(key) for key in batch]
        try:
            async with asyncio.timeout(PATIENCE_S):
                told = await self._ledger.tell(self._holder, claims)
        except (Refused, TimeoutError) as error:
            self._lost(batch, error)
            return
        self._away = False
        for claim, granted in zip(claims, told.granted, strict=True):
            self._heard(claim, granted, batch[claim.key])
        if not told.known:
            self._due.update(dict.fromkeys(self._entries))

    def _lost(self, batch: dict[str, int], error: Exception) -> None:
        if not self._away:
            log.warning("the shared seats are away, each node counts alone: %r", error)
        self._away = True
        self._due = {**dict.fromkeys(batch), **self._due}
        for key in self._due:
            entry = self._entries[key]
            entry.answer(len(entry.waiting), entry.limit - entry.held)

    def _heard(self, claim: Claim, granted: int, count: int) -> None:
        entry = self._entries[claim.key]
        if entry.answer(count, granted - claim.held):
            self._due[claim.key] = None
        self._told_at.pop(claim.key, None)
        if entry.held or entry.waiting or claim.key in self._due:
            self._told_at[claim.key] = self._loop.time()
        else:
            del self._entries[claim.key]


class SharedSeats:
    """Those of one kind."""

    def __init__(self, kind: str, limit: int, roll: Roll) -> None:
        # passed in
        self._kind = kind
        self._limit = limit
        self._roll = roll

    async def take(self, key: str) -> bool:
        """False when all are taken."""
        return await self._roll.take(f"{self._kind}:{key}", self._limit)

    def leave(self, key: str) -> None:
        """One less."""
        self._roll.leave(f"{self._kind}:{key}")
