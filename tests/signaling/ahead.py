"""Time that passes in a process when a test says so: no token is so short that it ends too soon."""

import time

from signaling.app import Process
from signaling.auth.registry import now_ms


def ahead(process: Process, seconds: float) -> None:
    """Sockets and tokens are judged as if it were so much later."""
    process.node._clock = lambda: now_ms() + round(seconds * 1000)
    process.guarding.tokens._clock_s = lambda: time.time() + seconds
