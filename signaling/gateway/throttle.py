"""Log lines that a stranger can cause, at most one of a kind per minute."""

import logging
import time
from typing import Final

PERIOD_S: Final = 60.0
MAX_KINDS: Final = 256
"""Lines a minute, whoever causes them: kinds above that are not written at all."""


class Throttle:
    """A logger that swallows repetitions and says how many there were."""

    def __init__(self, name: str) -> None:
        self._log = logging.getLogger(name)
        self._seen: dict[str, tuple[float, int]] = {}

    def note(self, kind: str, message: str, *args: object) -> None:
        """`kind` names what repeats; only the first of a minute is written."""
        self._write(logging.WARNING, kind, message, args, None)

    def failure(self, kind: str, error: BaseException, message: str, *args: object) -> None:
        """The same with the traceback."""
        self._write(logging.ERROR, kind, message, args, error)

    def _write(
        self,
        level: int,
        kind: str,
        message: str,
        args: tuple[object, ...],
        error: BaseException | None,
    ) -> None:
        now = time.monotonic()
        since, swallowed = self._seen.get(kind, (-PERIOD_S, 0))
        if now - since < PERIOD_S:
            self._seen[kind] = (since, swallowed + 1)
            return
        if kind not in self._seen and not self._has_room(now):
            return
        self._seen[kind] = (now, 0)
        more = f" ({swallowed} more since)" if swallowed else ""
        self._log.log(level, "%s: " + message + more, kind, *args, exc_info=error)

    def _has_room(self, now: float) -> bool:
        """Whether another kind may be remembered; forgets those that are due again anyway."""
        if len(self._seen) >= MAX_KINDS:
            self._seen = {k: seen for k, seen in self._seen.items() if now - seen[0] < PERIOD_S}
        return len(self._seen) < MAX_KINDS
