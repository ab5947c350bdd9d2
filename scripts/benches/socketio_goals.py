"""What the Socket.IO benchmark aims at, and whether its figures are there."""

from collections.abc import Callable, Mapping
from typing import Any

TIMES = "node/ours"
"""The column of how many times what we spend Node spends, taken pair by pair."""
Figures = Mapping[str, Mapping[str, float]]


def ours(row: str) -> Callable[[Figures], float]:
    """Our figure as it is."""
    return lambda figures: figures[row]["ours"]


def times_node(row: str) -> Callable[[Figures], float]:
    """Ours per one of Node's, where more is better."""
    return lambda figures: figures[row]["ours"] / figures[row]["node"]


def node_per_ours(row: str) -> Callable[[Figures], float]:
    """Node's cost per one of ours: how many times as much we do for it."""
    return lambda figures: figures[row][TIMES]


Goal = tuple[str, Callable[[Figures], float], float, bool]
"""(what, how it follows from the figures, the bound, whether more is better)"""


def fan_out(size: int, in_flight: int) -> Goal:
    """Half as much again as Node does with a second of CPU."""
    row = f"fan-out to {size}, {in_flight} in flight"
    return f"{row}: deliveries per CPU second, >= 1.5 Node", node_per_ours(f"{row}, µs"), 1.5, True


GOALS: list[Goal] = [
    *(fan_out(size, in_flight) for in_flight in (4, 1) for size in (20, 200, 2000)),
    ("ack round trips per CPU second, >= Node", node_per_ours("ack round trip, µs"), 1.0, True),
    ("idle connection, < 20 KB", ours("idle connection, KB"), 20.0, False),
    ("20 000 deliveries/s, p99, <= Node", times_node("20 000 deliveries/s, p99 ms"), 1.0, False),
    ("1 % not reading, p99 of the others, <= 1.2", ours("1 % not reading, times"), 1.2, False),
    ("connects per CPU second, >= 0.5 Node", node_per_ours("connect, µs"), 0.5, True),
]


def judge(figures: Figures) -> list[dict[str, Any]]:
    """Each goal whose rows were measured: `{goal, value, holds}`."""
    judged = []
    for what, value_of, bound, more in GOALS:
        try:
            value = round(value_of(figures), 2)
        except KeyError:
            continue
        judged.append(
            {"goal": what, "value": value, "holds": value >= bound if more else value <= bound}
        )
    return judged
