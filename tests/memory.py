"""Where tests may keep what they write: in memory, where there is enough of it.

A disk that others write to makes every test wait, for seconds sometimes. What the tests crash is a
process, never the machine, so nothing has to outlive that.
"""

import os
import shutil
from pathlib import Path

MEMORY = Path("/dev/shm")


def memory(least_bytes: int) -> Path | None:
    """A folder in which there is room for so much, and from which programs may be started."""
    if not MEMORY.is_dir() or os.statvfs(MEMORY).f_flag & os.ST_NOEXEC:
        return None
    free_bytes = min(shutil.disk_usage(MEMORY).free, _available_bytes())
    return MEMORY if free_bytes >= least_bytes else None


def _available_bytes() -> int:
    lines = Path("/proc/meminfo").read_text().splitlines()
    found = dict(line.split(":", 1) for line in lines)
    return int(found["MemAvailable"].removesuffix("kB")) * 1024
