"""`tokenim bench`: measures a server of its own, and says whether goals hold."""

import asyncio
import json
import sys

import pytest

from signaling.bench import report
from signaling.bench.sends import histogram

FIGURES = {
    "latency": {
        "delivered": 10,
        "missing": 0,
        "delivery_ms_p50": 3.5,
        "delivery_ms_p99": 12.0,
        "delivery_ms": histogram([0.0035] * 9 + [0.7]),
    },
    "storm": {"clients": 4, "whole": 3, "seconds": 1.5, "server_cpu_s": 0.2},
}


def test_the_report_says_which_goals_hold_and_draws_the_waits() -> None:
    lines = list(report.lines(FIGURES))
    assert sum(line.endswith(" holds") for line in lines) == 1
    assert any(line.endswith("does not hold") and "3 of 4" in line for line in lines)
    (bar,) = (line for line in lines if line.strip().startswith("<5 ms"))
    assert bar.count("█") == round(report.BAR * 0.9)


@pytest.mark.timeout(400)
async def test_a_small_run_measures_every_client() -> None:
    """From the command to real sockets and back."""
    command = ["bench", "im", "--json", "--only", "storm", "--clients", "3"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "signaling", *command, stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0
    assert json.loads(printed)["storm"]["whole"] == 3


async def test_a_part_that_is_not_there_is_refused() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "signaling", "bench", "im", "--only", "speed"),
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    assert process.returncode == 2
    assert b"no part speed" in said
