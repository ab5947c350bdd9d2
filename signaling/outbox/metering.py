"""Counts what apps use: a projection of the log with its own cursor, and samples of what is not
in the log.
"""

from collections.abc import Collection, Iterable
from typing import Protocol

import msgspec

from signaling.outbox.usage import Delta, Notice, Row, Totals, count
from signaling.ports import Clock

PAGE = 10_000


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of the log behind the cursor."""

    after: int
    reached: int
    events: int
    """How many there were, added up in `rows`."""
    rows: list[Row]


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What limits are checked against: one month of every app, counted up to `position`."""

    position: int
    totals: dict[str, Totals]
    plans: dict[str, str]
    """Assigned ones, by app."""
    connections: dict[str, int]
    """On other nodes, now."""


class UsageStore(Protocol):
    """Totals, durable."""

    async def page(self, limit: int) -> Page:
        """What follows the cursor."""

    async def add(self, page: Page, delta: Delta) -> bool:
        """Add, and move the cursor, in one transaction; False when another node was faster."""

    async def prune(self, before: int) -> None:
        """Forget who was active in days and months that ended long before; the counts stay."""

    async def rebuild(self) -> None:
        """Forget what was counted from the log, and begin at its start."""

    async def connected(
        self, node: str, here: dict[str, tuple[int, int]], at: int, alive_since: int
    ) -> None:
        """This node's Connections of each app: (now, most since the last call)."""

    async def stored(self, at: int) -> None:
        """Look how many bytes of files each app has."""

    async def state(self, period: str, node: str, alive_since: int) -> State:
        """One snapshot."""

    async def active(self, app: str, period: str, users: Collection[str]) -> set[str]:
        """Those of the users who were active."""

    async def notice(self, notice: Notice) -> bool:
        """Write it down and put it to the news; False when the app was told before."""

    async def notices(self, app: str, periods: Iterable[str]) -> list[Notice]:
        """What an app was told, oldest first."""

    async def totals(self, app: str, periods: Collection[str]) -> dict[str, Totals]:
        """Those that exist."""

    async def plan(self, app: str) -> str | None:
        """The one assigned."""

    async def assign(self, app: str, plan: str, at: int) -> None:
        """Raises Refused not_found for an unknown app."""


class Metering:
    """Reads on. Any node may, and all do: the cursor moves once for each page."""

    def __init__(self, store: UsageStore, clock: Clock) -> None:
        # passed in
        self._store = store
        self._clock = clock
        # made here
        self.counted_total = 0

    async def catch_up(self, pages: int | None = None) -> None:
        """Count what is in the log by now, or so many pages of it."""
        while (page := await self._store.page(PAGE)).events:
            if await self._store.add(page, count(page.rows)):
                self.counted_total += page.events
            pages = None if pages is None else pages - 1
            if page.events < PAGE or pages == 0:
                return

    def stats(self) -> dict[str, int]:
        """Counters for the metrics."""
        return {"counted_total": self.counted_total}
