"""What an App has used, and what it may: counts by day and month, plans, thresholds. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import msgspec

from signaling.errors import Refused
from signaling.model import APP_USER

Metric = Literal["messages", "active_users", "connections", "stored_bytes", "call_minutes"]
METRICS: tuple[Metric, ...] = (
    "messages",
    "active_users",
    "connections",
    "stored_bytes",
    "call_minutes",
)
Level = Literal["warning", "exceeded"]
LEVELS: tuple[tuple[Level, int], ...] = (("warning", 80), ("exceeded", 100))
"""Per cent of a limit at which the app is told."""
MINUTE_MS = 60_000
POINTS_MAX = 400
ALL = "unlimited"
"""The plan without limits."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What an app may use in a month; None is any amount. Connections are those at one time."""

    name: str
    messages: int | None = None
    active_users: int | None = None
    connections: int | None = None
    stored_bytes: int | None = None
    call_minutes: int | None = None

    def limits(self) -> Mapping[Metric, int | None]:
        """By metric."""
        return {metric: getattr(self, metric) for metric in METRICS}


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """One app in one day or month."""

    messages: int = 0
    active_users: int = 0
    connections: int = 0
    """Most at one time."""
    stored_bytes: int = 0
    """At the end, so far."""
    call_ms: int = 0

    def used(self) -> Mapping[Metric, float]:
        """By metric, as people read it."""
        return {
            "messages": self.messages,
            "active_users": self.active_users,
            "connections": self.connections,
            "stored_bytes": self.stored_bytes,
            "call_minutes": round(self.call_ms / MINUTE_MS, 2),
        }


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """A threshold that was reached: once in a period."""

    app: str
    metric: Metric
    level: Level
    period: str
    used: float
    limit: int
    at: int

    def to_wire(self) -> dict[str, Any]:
        """The payload of `usage:warning` and `usage:exceeded`."""
        fields: dict[str, Any] = msgspec.to_builtins(self)
        del fields["app"]
        return fields


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What counting needs of a user's events of one day, or of one call that ended."""

    app: str
    sender: str
    at: int
    """Any time of the day."""
    messages: int = 0
    call: dict[str, Any] | None = None


class Delta(msgspec.Struct, frozen=True, kw_only=True):
    """What a page of the log adds, by (app, period)."""

    messages: dict[tuple[str, str], int]
    call_ms: dict[tuple[str, str], int]
    active: set[tuple[str, str, str]]
    """(app, period, user)."""

    def keys(self) -> set[tuple[str, str]]:
        """Whatever changes."""
        return {*self.messages, *self.call_ms, *(key[:2] for key in self.active)}


def day_of(at: int) -> str:
    """`2026-11-24`, UTC."""
    return datetime.fromtimestamp(at / 1000, UTC).date().isoformat()


def month_of(at: int) -> str:
    """`2026-11`, UTC."""
    return day_of(at)[:7]


def periods_of(at: int) -> tuple[str, str]:
    """Both."""
    day = day_of(at)
    return day, day[:7]


def count(rows: Iterable[Row]) -> Delta:
    """Add up a page of the log."""
    messages: dict[tuple[str, str], int] = {}
    call_ms: dict[tuple[str, str], int] = {}
    active: set[tuple[str, str, str]] = set()
    for row in rows:
        for period in periods_of(row.at):
            key = (row.app, period)
            active.update((*key, user) for user in _users(row))
            if row.messages:
                messages[key] = messages.get(key, 0) + row.messages
            if row.call is not None:
                call_ms[key] = call_ms.get(key, 0) + int(row.call.get("duration_ms") or 0)
    return Delta(messages=messages, call_ms=call_ms, active=active)


def _users(row: Row) -> Iterator[str]:
    """Who did something: the sender, and who was in a call. The app itself is no user."""
    if row.sender and row.sender != APP_USER:
        yield row.sender
    for party in (row.call or {}).get("participants", ()):
        if party["state"] in ("accepted", "left"):
            yield party["user"]


def reached(app: str, plan: Plan, totals: Totals, period: str, at: int) -> list[Notice]:
    """Every threshold these totals have reached, the lower first."""
    used = totals.used()
    return [
        Notice(
            app=app,
            metric=metric,
            level=level,
            period=period,
            used=used[metric],
            limit=limit,
            at=at,
        )
        for metric, limit in plan.limits().items()
        if limit is not None
        for level, percent in LEVELS
        if used[metric] * 100 >= limit * percent
    ]


def spanned(first: str, last: str, granularity: str) -> list[str]:
    """Every period from `first` to `last`, both dates. Raises Refused bad_request."""
    start, end = _date(first, "from"), _date(last, "to")
    if end < start or (end - start).days > POINTS_MAX * (1 if granularity == "day" else 28):
        raise Refused("bad_request", f"`from` to `to` spans 1 to {POINTS_MAX} periods")
    days = [start + timedelta(days=step) for step in range((end - start).days + 1)]
    if granularity == "day":
        return [day.isoformat() for day in days]
    return list(dict.fromkeys(day.isoformat()[:7] for day in days))


def _date(text: str, name: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Refused("bad_request", f"`{name}` is a date like 2026-11-24") from error
