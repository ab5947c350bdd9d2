"""Metering put together: count, compare with plans, tell those who administer the app."""

from collections.abc import Mapping

from signaling import topics
from signaling.adapters.sql import Database
from signaling.adapters.sql.usage import SqlUsage
from signaling.audit.trail import Trail
from signaling.auth.registry import now_ms
from signaling.http.callers import Callers
from signaling.http.usage import UsageRoutes
from signaling.metered_hooks import MeteredHooks
from signaling.outbox.metering import Metering
from signaling.outbox.usage import Notice, Plan, month_of, reached
from signaling.ports import Broker, Clock, Hint, Hooks
from signaling.services.quota import Quota, Use
from signaling.services.usage import UsageService
from signaling.tasks import Tasks

ROUND_S = 1.0
START_PAGES = 10
"""A long log that was never counted does not keep a process from starting."""
STORED_S = 15.0
PRUNE_S = 6 * 3600.0
ACTIVE_KEPT_MS = 62 * 86_400_000
"""Who was active is needed to count them once; then only how many is kept."""
SAMPLE_MS = 20_000
"""A node says how many Connections it has at least this often."""
ALIVE_MS = 60_000
"""A node that has not said so for this long is gone."""


class Accounting:
    """Usage and plans of one process."""

    def __init__(
        self,
        database: Database,
        broker: Broker,
        node: str,
        plans: Mapping[str, Plan],
        default: str,
        *,
        alone: bool,
        clock: Clock = now_ms,
    ) -> None:
        # passed in
        self._broker = broker
        self._node = node
        self._limited = bool(plans)
        self._alone = alone
        self._clock = clock
        # made here
        self._store = SqlUsage(database)
        self.metering = Metering(self._store, clock)
        self.quota = Quota(plans, default, self._store, clock)
        self.service = UsageService(self._store, self.quota, plans, clock)
        self._sampled: dict[str, tuple[int, int]] = {}
        self._sampled_at = 0
        self._told: set[tuple[str, str, str, str]] = set()

    async def start(self, tasks: Tasks) -> None:
        """Know what is used before anybody uses more."""
        if self._alone:  # whoever was connected was so to an earlier life of this process
            await self._store.connected(self._node, {}, now := self._clock(), now + 1)
        await self.metering.catch_up(START_PAGES)
        await self._sample()
        await self._look()
        tasks.every(ROUND_S, self.round, "count usage")
        tasks.every(STORED_S, self.stored, "count stored bytes")
        tasks.every(PRUNE_S, self._prune, "forget who was active")

    async def round(self) -> None:
        """Count, and compare with what is allowed."""
        await self.metering.catch_up()
        await self._sample()
        await self._look()

    async def _look(self) -> None:
        if self._limited:
            now = self._clock()
            state = await self._store.state(month_of(now), self._node, now - ALIVE_MS)
            for app, use in self.quota.refresh(state).items():
                await self._compare(app, use, now)

    async def stored(self) -> None:
        """Look at the files."""
        await self._store.stored(self._clock())

    async def _prune(self) -> None:
        await self._store.prune(self._clock() - ACTIVE_KEPT_MS)

    async def _sample(self) -> None:
        """Write Connections down when they changed, a day began, or it is time."""
        here, now = self.quota.connected(), self._clock()
        if here != self._sampled or (here and now - self._sampled_at >= SAMPLE_MS):
            await self._store.connected(self._node, here, now, now - ALIVE_MS)
            self._sampled, self._sampled_at = here, now

    async def _compare(self, app: str, use: Use, now: int) -> None:
        for notice in reached(app, use.plan, use.totals, use.period, now):
            key = (app, notice.period, notice.metric, notice.level)
            if key in self._told:
                continue
            if await self._store.notice(notice):
                await self._tell(notice)
            self._told.add(key)

    async def _tell(self, notice: Notice) -> None:
        hint = Hint(event=f"usage:{notice.level}", data=notice.to_wire())
        await self._broker.publish(topics.admins(notice.app), hint)

    def hooks(self, hooks: Hooks) -> MeteredHooks:
        """These, counting Connections."""
        return MeteredHooks(hooks, self.quota)

    def routes(self, callers: Callers, trail: Trail) -> UsageRoutes:
        """Their REST."""
        return UsageRoutes(callers, self.service, trail)
