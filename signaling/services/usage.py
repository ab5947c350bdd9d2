"""What an app has used, for its owner to look at; and which plan it has."""

from collections.abc import Mapping

from signaling.errors import Refused
from signaling.outbox.metering import UsageStore
from signaling.outbox.usage import ALL, Notice, Plan, Totals, day_of, month_of, spanned
from signaling.ports import Clock
from signaling.protocol.usage import AppPlanView, NoticeView, PlanView, UsageView
from signaling.services.quota import Quota

DAY_MS = 86_400_000
DAYS = 30


class UsageService:
    """Answers REST and the command line."""

    def __init__(
        self, store: UsageStore, quota: Quota, plans: Mapping[str, Plan], clock: Clock
    ) -> None:
        # passed in
        self._store = store
        self._quota = quota
        self._plans = plans
        self._clock = clock

    async def usage(
        self, app: str, first: str | None, last: str | None, granularity: str
    ) -> UsageView:
        """By default the last 30 days. Raises Refused bad_request."""
        if granularity not in ("day", "month"):
            raise Refused("bad_request", "`granularity` is day or month")
        now = self._clock()
        first = first or day_of(now - (DAYS - 1) * DAY_MS)
        last = last or day_of(now)
        periods = spanned(first, last, granularity)
        month = month_of(now)
        found = await self._store.totals(app, [*periods, month])
        months = sorted({period[:7] for period in periods} | {month})
        none = Totals()
        return UsageView(
            app=app,
            plan=_plan(self._quota.plan(await self._store.plan(app))),
            period=month,
            used=found.get(month, none).used(),
            granularity=granularity,
            from_=first,
            to=last,
            points=[_point(one, found.get(one, none)) for one in periods],
            notices=[_notice(one) for one in await self._store.notices(app, months)],
        )

    async def assign(self, app: str, plan: str) -> AppPlanView:
        """Raises Refused: bad_request for a plan nobody configured, not_found."""
        if plan not in self._plans and plan != ALL:
            known = ", ".join(sorted({*self._plans, ALL}))
            raise Refused("bad_request", f"no plan is called {plan!r}; there are: {known}")
        await self._store.assign(app, plan, self._clock())
        return AppPlanView(app=app, plan=_plan(self._quota.plan(plan)))

    def plans(self) -> list[PlanView]:
        """Those configured."""
        return [_plan(plan) for plan in self._plans.values()]


def _point(period: str, totals: Totals) -> dict[str, str | float]:
    point: dict[str, str | float] = {"period": period}
    point.update({str(metric): used for metric, used in totals.used().items()})
    return point


def _plan(plan: Plan) -> PlanView:
    return PlanView(name=plan.name, limits=plan.limits())


def _notice(notice: Notice) -> NoticeView:
    return NoticeView(
        metric=notice.metric,
        level=notice.level,
        period=notice.period,
        used=notice.used,
        limit=notice.limit,
        at=notice.at,
    )
