"""Messaging measured through real sockets, each part on a fresh server on a core of its own."""

import gc
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from signaling.bench.growth import growth
from signaling.bench.history import history
from signaling.bench.house import House
from signaling.bench.sends import latency, sends
from signaling.bench.storm import storm

PARTS = ("sends", "latency", "storm", "history", "growth")


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How much of everything."""

    seconds: float = 5.0
    clients: int = 2_000
    events: int = 200_000


async def measure(parts: tuple[str, ...], scale: Scale) -> dict[str, Any]:
    """The figures of each part. This process leaves the first core to the server."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(0, set(cores[1:]))
    work: dict[str, Callable[[House], Awaitable[dict[str, Any]]]] = {
        "sends": lambda house: sends(house, scale.seconds),
        "latency": lambda house: latency(house, scale.seconds),
        "storm": lambda house: storm(house, scale.clients),
        "history": lambda house: history(house, scale.events),
        "growth": growth,
    }
    result = {}
    for name in parts:
        with House(cores[0], _freely(scale)) as house, uncollected():
            result[name] = await work[name](house)
    return result


@contextmanager
def uncollected() -> Iterator[None]:
    """A collection of garbage of the load's own would count as the server's delay."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _freely(scale: Scale) -> dict[str, str]:
    """What is measured is the work, not the allowance."""
    return {
        "TOKENIM_GATEWAY_MAX_CONNECTIONS_PER_ADDRESS": str(scale.clients + 100),
        "TOKENIM_MEDIA_ENABLED": "false",
        "TOKENIM_LIMITS_CONNECTION_RATE": "0",
        "TOKENIM_LIMITS_USER_RATE": "0",
        "TOKENIM_LIMITS_ADDRESS_RATE": "0",
    }
