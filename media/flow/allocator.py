"""Who gets how much of one subscriber's bandwidth."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from media.flow.layers import Layer

HEADROOM: Final = 0.9
"""Share of the estimate given away by a step up: retransmissions and jitter live in the rest."""
UP_MARGIN: Final = 1.1
"""A step up must fit this much more generously than staying does."""
HOLD_S: Final = 2.0
"""How long after a step down the same Consumer waits to step up."""


@dataclass(frozen=True, slots=True)
class Step:
    """One layer a Consumer could get."""

    layer: Layer
    bitrate_bps: int
    """Measured; cumulative for layers that need the ones below."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What one Consumer could use."""

    consumer: str
    priority: int
    """Higher first."""
    steps: Sequence[Step]
    """Ascending by bitrate, up to the wished layer."""


class Allocator:
    """For one subscriber: remembers what each Consumer has, so that it does not flap."""

    __slots__ = ("_given", "_lowered_at")

    def __init__(self) -> None:
        self._given: dict[str, int] = {}
        self._lowered_at: dict[str, float] = {}

    def tick(
        self, estimate_bps: float, demands: Iterable[Demand], now: float
    ) -> dict[str, Layer | None]:
        """The layer for each Consumer; None where even the lowest does not fit.

        First everyone's lowest layer by priority, then one step for each in turn.
        """
        ordered = sorted(demands, key=lambda demand: -demand.priority)
        budget, rest = estimate_bps, estimate_bps * (1.0 - HEADROOM)
        chosen = dict.fromkeys((demand.consumer for demand in ordered), -1)
        raised = True
        while raised:
            raised = False
            for demand in ordered:
                cost = self._next_cost(demand, chosen[demand.consumer], rest, now)
                if cost is not None and cost[1] <= budget:
                    budget -= cost[0]
                    chosen[demand.consumer] += 1
                    raised = True
        self._remember(chosen, now)
        return {
            demand.consumer: demand.steps[chosen[demand.consumer]].layer
            if chosen[demand.consumer] >= 0
            else None
            for demand in ordered
        }

    def _next_cost(
        self, demand: Demand, index: int, rest: float, now: float
    ) -> tuple[float, float] | None:
        """(what the next step costs, what must be free for it), None when there is no next."""
        if index + 1 >= len(demand.steps):
            return None
        below = demand.steps[index].bitrate_bps if index >= 0 else 0
        cost = float(max(0, demand.steps[index + 1].bitrate_bps - below))
        given = self._given.get(demand.consumer)
        if given is None:
            return cost, cost + rest
        if index + 1 <= given:
            return cost, cost
        if now - self._lowered_at.get(demand.consumer, float("-inf")) < HOLD_S:
            return None
        return cost, cost * UP_MARGIN + rest

    def _remember(self, chosen: dict[str, int], now: float) -> None:
        for consumer, index in chosen.items():
            if index < self._given.get(consumer, -1):
                self._lowered_at[consumer] = now
        self._given = chosen
        self._lowered_at = {c: at for c, at in self._lowered_at.items() if c in chosen}


def wanted_bps(demands: Iterable[Demand]) -> int:
    """What everyone's highest step takes."""
    return sum(demand.steps[-1].bitrate_bps for demand in demands if demand.steps)


def goal_bps(demands: Iterable[Demand]) -> float:
    """The estimate that gives everyone the highest step: the goal of a probe."""
    return wanted_bps(demands) * UP_MARGIN / HEADROOM
