"""What REST says about usage and plans."""

from collections.abc import Mapping
from typing import Annotated

import msgspec

from signaling.outbox.usage import Metric


class PlanView(msgspec.Struct, frozen=True, kw_only=True):
    """A plan; a limit that is null is none."""

    name: str
    limits: Mapping[Metric, int | None]


class NoticeView(msgspec.Struct, frozen=True, kw_only=True):
    """A threshold that was reached: `warning` at 80 % of a limit, `exceeded` at 100 %."""

    metric: str
    level: str
    period: str
    used: float
    limit: int
    at: int


class UsageView(msgspec.Struct, frozen=True, kw_only=True):
    """What an app used: this month, and by day or month between two dates."""

    app: str
    plan: PlanView
    period: str
    used: Mapping[Metric, float]
    granularity: str
    from_: str = msgspec.field(name="from")
    to: str
    points: list[Mapping[str, str | float]]
    """`{period, messages, active_users, connections, stored_bytes, call_minutes}`, no gaps."""
    notices: list[NoticeView]


class AssignPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The plan an app has from now on."""

    plan: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class AppPlanView(msgspec.Struct, frozen=True, kw_only=True):
    """An app and its plan."""

    app: str
    plan: PlanView
