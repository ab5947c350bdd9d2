"""The product with a curse on it: `python -m tests.e2e.cursed serve …`, otherwise as it is.

`CURSED_CLOCK` names a file whose first 8 bytes are added to the wall clock, in seconds.
`CURSED_AFTER` commits of messages the process is killed: what they hold is on disk, and
nobody has been told.
"""

import os
import signal
import struct
import time
from typing import Any

CLOCK = os.environ.get("CURSED_CLOCK")
DIES_AFTER = int(os.environ.get("CURSED_AFTER", "0"))


def step_clock(path: str) -> None:
    """From now on the wall clock is what the file makes of it; the monotonic one is not touched."""
    file, ns, seconds = os.open(path, os.O_RDONLY), time.time_ns, time.time

    def offset_s() -> int:
        found: int = struct.unpack("<q", os.pread(file, 8, 0))[0]
        return found

    time.time_ns = lambda: ns() + offset_s() * 1_000_000_000
    time.time = lambda: seconds() + offset_s()


def die_after(commits: int) -> None:
    """SIGKILL where a commit is known and its callers are not told yet."""
    from signaling.adapters.sql import sqlite

    resolve, left = sqlite._resolve, commits

    def resolve_or_die(done: list[Any]) -> None:
        nonlocal left
        left -= any(_appended(result) for _, result, _ in done)
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
        resolve(done)

    sqlite._resolve = resolve_or_die


def _appended(result: Any) -> bool:
    return isinstance(result, list) and any(hasattr(one, "duplicate") for one in result)


if __name__ == "__main__":
    if CLOCK:
        step_clock(CLOCK)
    if DIES_AFTER:
        die_after(DIES_AFTER)
    from signaling.cli import main

    main()
