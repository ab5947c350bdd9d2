"""What was measured, for people: goals in a table, waits as bars."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

BAR = 40
Figures = dict[str, Any]


class Goal(NamedTuple):
    """One line of the table."""

    text: str
    part: str
    measured: Callable[[Figures], str]
    holds: Callable[[Figures], bool]


GOALS = (
    Goal(
        "5 000 durable sends/s, p99 of send to ack under 20 ms",
        "sends",
        lambda f: "{per_second}/s, p99 {ack_ms_p99} ms".format(**f["at_5000_per_s"]),
        lambda f: (
            f["at_5000_per_s"]["per_second"] >= 4_900 and f["at_5000_per_s"]["ack_ms_p99"] < 20
        ),
    ),
    Goal(
        "send to the other device, p50 under 10 ms at 1 000/s",
        "latency",
        lambda f: "p50 {delivery_ms_p50} ms, p99 {delivery_ms_p99} ms".format(**f),
        lambda f: f["delivery_ms_p50"] < 10 and not f["missing"],
    ),
    Goal(
        "reconnect storm, all whole within 10 s",
        "storm",
        lambda f: "{whole} of {clients} in {seconds} s".format(**f),
        lambda f: f["whole"] == f["clients"] and f["seconds"] < 10,
    ),
    Goal(
        "page of history p99 under 5 ms, start under 3 s",
        "history",
        lambda f: "{events} events: p99 {page_ms_p99} ms, start {start_s} s".format(**f),
        lambda f: f["page_ms_p99"] < 5 and f["start_s"] < 3,
    ),
    Goal(
        "work for a message does not grow with history or members",
        "growth",
        lambda f: (
            "× {history_ratio} after {events} events, × {members_ratio} with {members}"
            " members".format(**f)
        ),
        lambda f: max(f["history_ratio"], f["members_ratio"]) < 1.25,
    ),
)


def lines(result: dict[str, Figures]) -> Iterator[str]:
    """The whole report."""
    yield from table(result)
    for title, counts in _histograms(result):
        yield ""
        yield title
        yield from bars(counts)


def table(result: dict[str, Figures]) -> Iterator[str]:
    """Each goal that was measured, what was measured, and whether it holds."""
    rows = [("goal", "measured", "")]
    rows += [
        (goal.text, goal.measured(figures), "holds" if goal.holds(figures) else "does not hold")
        for goal in GOALS
        if (figures := result.get(goal.part)) is not None
    ]
    widths = [max(len(row[n]) for row in rows) for n in range(3)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def bars(counts: dict[str, int]) -> Iterator[str]:
    """One bar a bound, as long as its share."""
    total = sum(counts.values()) or 1
    for bound, count in counts.items():
        bar = "█" * round(BAR * count / total) or ("▏" if count else "")
        yield f"  {bound:>6} ms {bar:<{BAR}} {100 * count / total:5.1f} %"


def _histograms(result: dict[str, Figures]) -> Iterator[tuple[str, dict[str, int]]]:
    for name, figures in result.get("sends", {}).items():
        if isinstance(figures, dict):
            title = f"send to ack, {name}: {figures['per_second']}/s, "
            yield f"{title}{figures['server_cpu_us_per_send']} µs of CPU each", figures["ack_ms"]
    if "latency" in result:
        yield "send to the other device, 1 000/s", result["latency"]["delivery_ms"]
