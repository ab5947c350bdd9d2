"""Plans upheld: how much of its plan each app has left, in memory, without asking anybody.

Counts come from the projection of the log every second; what this node let through since is
added, so that one node alone is exact to the message.
"""

import threading
from collections.abc import Callable, Collection, Mapping
from types import TracebackType
from typing import Any, Protocol, Self

from signaling.dispatch import Handler, Table
from signaling.errors import Refused
from signaling.model import Appended, Conversation, Identity, Member
from signaling.outbox.metering import State
from signaling.outbox.usage import MINUTE_MS, Metric, Plan, Totals, month_of
from signaling.ports import Allow, Clock

ACTING = (
    "message:send",
    "conversation:create",
    "conversation:join",
    "reaction:set",
    "call:invite",
    "call:accept",
    "file:offer",
)
"""Requests that make a user an active one of the month."""
CALLING = ("call:invite",)
ADMITTED_MS = 10_000
"""Who was let through as a new active user and did nothing is forgotten after so long."""
KNOWN_MAX = 100_000


class Actives(Protocol):
    """See signaling.outbox.metering.UsageStore."""

    async def active(self, app: str, period: str, users: Collection[str]) -> set[str]:
        """Those of the users who were active."""


class Use:
    """One app under a plan with limits."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.period = ""
        self.totals = Totals()
        self.known: set[str] = set()
        self.admitted: dict[str, int] = {}
        """New users let through, and when; not counted yet."""
        self._lock = threading.Lock()
        self._on_way = 0
        self._position = 0
        self._landed: list[int] = []
        """Positions of this node's messages that the totals do not hold yet."""

    def count(self, period: str, totals: Totals, position: int) -> None:
        """New totals, of the log up to `position`; those read before others, that come later, say
        nothing.
        """
        if period != self.period:
            self.period, self.known, self.admitted = period, set(), {}
        elif position < self._position:
            return
        with self._lock:
            self.totals, self._position = totals, position
            self._landed = [one for one in self._landed if one > position]

    def take(self) -> None:
        """Let one message on its way. Raises Refused. May be called on the database's thread."""
        with self._lock:
            if self.plan.messages is not None and self._used() >= self.plan.messages:
                raise exceeded("messages", self.plan)
            self._on_way += 1

    def full(self) -> bool:
        """Whether no message more would be let through."""
        with self._lock:
            most = self.plan.messages
            return most is not None and self._used() >= most

    def _used(self) -> int:
        return self.totals.messages + len(self._landed) + self._on_way

    def settle(self, position: int | None) -> None:
        """It arrived in the log, or did not."""
        with self._lock:
            self._on_way -= 1
            if position is not None:
                self._landed.append(position)


class Sending:
    """One message between asking and the log. Use as a context manager."""

    def __init__(self, use: Use | None) -> None:
        # passed in
        self._use = use
        # made here
        self._taken = False
        self._position: int | None = None

    def after(self, allow: Allow) -> Allow:
        """`allow`, then the quota: only for what is not in the log already."""
        use = self._use
        if use is None:
            return allow

        def both(conversation: Conversation, member: Member | None) -> None:
            allow(conversation, member)
            if not self._taken:
                use.take()
                self._taken = True

        return both

    def landed(self, appended: Appended) -> None:
        """It is on disk."""
        if not appended.duplicate:
            self._position = appended.event.position

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._use is not None and self._taken:
            self._use.settle(self._position)


class Quota:
    """What every app may still do."""

    def __init__(
        self, plans: Mapping[str, Plan], default: str, actives: Actives, clock: Clock
    ) -> None:
        # passed in
        self._plans = plans
        self._default = default
        self._actives = actives
        self._clock = clock
        # made here
        self._uses: dict[str, Use] = {}
        self._assigned: Mapping[str, str] = {}
        self._elsewhere: Mapping[str, int] = {}
        self._here: dict[str, int] = {}
        self._peaks: dict[str, int] = {}

    def plan(self, assigned: str | None) -> Plan:
        """The plan of that name, or the default one; without either there are no limits."""
        name = assigned or self._default
        return self._plans.get(name) or Plan(name=assigned or "unlimited")

    def refresh(self, state: State) -> dict[str, Use]:
        """New counts; the apps with limits."""
        period = month_of(self._clock())
        self._assigned, self._elsewhere = state.plans, state.connections
        # Those in use as well: one that asks by REST alone may have nothing yet in a new month.
        for app in {*state.totals, *state.plans, *self._here, *self._uses}:
            use = self._use(app)
            if use is not None:
                use.count(period, state.totals.get(app, Totals()), state.position)
        return {app: use for app, use in self._uses.items() if use.period == period}

    def _use(self, app: str) -> Use | None:
        """None without limits."""
        plan = self.plan(self._assigned.get(app))
        use = self._uses.get(app)
        if use is not None and use.plan == plan:
            return use
        if not any(limit is not None for limit in plan.limits().values()):
            self._uses.pop(app, None)
            return None
        made = Use(plan)
        if use is not None:
            made.count(use.period, use.totals, 0)
        self._uses[app] = made
        return made

    # messages

    def sending(self, app: str) -> Sending:
        """For `Log.append`."""
        return Sending(self._use(app) if self._plans else None)

    # requests

    def guard(self, table: Table) -> dict[str, Handler]:
        """The table, with what may use a plan up asked first."""
        guarded = {**table}
        if not self._plans:  # without limits there is nothing to ask
            return guarded
        for event in ACTING:
            if event in table:
                guarded[event] = Handler(table[event].request, self._asking(event, table[event]))
        return guarded

    def _asking(self, event: str, handler: Handler) -> Callable[[Identity, Any], Any]:
        async def answer(who: Identity, request: Any) -> Any:
            await self.check(who, event)
            return await handler.answer(who, request)

        return answer

    async def check(self, who: Identity, event: str) -> None:
        """Raises Refused quota_exceeded."""
        use = self._use(who.app)
        if use is None:
            return
        plan = use.plan
        if event == "file:offer" and use.full():
            raise exceeded("messages", plan)
        minutes = plan.call_minutes if event in CALLING else None
        if minutes is not None and use.totals.call_ms >= minutes * MINUTE_MS:
            raise exceeded("call_minutes", plan)
        if plan.active_users is not None and who.user not in use.known:
            await self._active(use, who, plan.active_users)

    async def _active(self, use: Use, who: Identity, limit: int) -> None:
        now = self._clock()
        period = month_of(now)
        counted = use.totals.active_users  # newer totals would count who is admitted here twice
        asked = {who.user, *use.admitted}
        active = await self._actives.active(who.app, period, asked)
        if len(use.known) < KNOWN_MAX:
            use.known |= active
        use.admitted = {
            user: at
            for user, at in use.admitted.items()
            if user not in active and now - at < ADMITTED_MS
        }
        if who.user in active or who.user in use.admitted:
            return
        if max(counted, len(use.known)) + len(use.admitted) >= limit:
            raise exceeded("active_users", use.plan)
        use.admitted[who.user] = now

    # connections

    def connect(self, app: str) -> None:
        """One more Connection. Raises Refused quota_exceeded."""
        here = self._here.get(app, 0) + 1
        use = self._use(app)
        limit = None if use is None else use.plan.connections
        if use is not None and limit is not None and here + self._elsewhere.get(app, 0) > limit:
            raise exceeded("connections", use.plan)
        self._here[app] = here
        self._peaks[app] = max(here, self._peaks.get(app, 0))

    def disconnect(self, app: str) -> None:
        """One less."""
        self._here[app] -= 1
        if not self._here[app]:
            del self._here[app]

    def connected(self) -> dict[str, tuple[int, int]]:
        """(now, most since the last call) by app."""
        found = {app: (self._here.get(app, 0), peak) for app, peak in self._peaks.items()}
        self._peaks = dict(self._here)
        return found

    # files

    def stored_bytes(self, app: str) -> int | None:
        """How many the app may keep; None for any number."""
        use = self._use(app)
        return None if use is None else use.plan.stored_bytes


def exceeded(metric: Metric, plan: Plan) -> Refused:
    """What a caller hears when the plan is used up."""
    limit = getattr(plan, metric)
    said = f"the plan {plan.name!r} of this app allows {limit} {metric.replace('_', ' ')}"
    return Refused("quota_exceeded", said)
