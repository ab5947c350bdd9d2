"""What servers and pages have said lately: a test that fails is reported with it."""

from __future__ import annotations

import time
import weakref
from collections import deque

LINES_MAX = 200
_everyone: weakref.WeakSet[Said] = weakref.WeakSet()


class Said:
    """The last lines of one of them."""

    def __init__(self, who: str) -> None:
        # passed in
        self.who = who
        # made here
        self.over = False
        """It has ended: it is of interest to the test in which it did."""
        self._lines: deque[str] = deque(maxlen=LINES_MAX)
        self._at = 0.0
        _everyone.add(self)

    def hear(self, line: str) -> None:
        """Keep a line."""
        self._lines.append(line.rstrip("\n"))
        self._at = time.time()

    def section(self) -> tuple[str, str]:
        """As pytest shows it."""
        return f"Last said by {self.who}", "\n".join(self._lines)

    def matters(self, since: float) -> bool:
        """Whether it lives, or spoke since then."""
        return bool(self._lines) and (not self.over or self._at >= since)


def sections(since: float) -> list[tuple[str, str]]:
    """Of everyone that matters to what began then, in seconds of the wall clock."""
    return sorted(one.section() for one in list(_everyone) if one.matters(since))
