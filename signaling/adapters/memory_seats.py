"""The Ledger within one process; share one object between nodes."""

import time
from collections.abc import Callable, Sequence

from signaling.ports import Claim, Told

PERIOD_MS = 10_000


class MemoryLedger:
    """What each holder said, and when that runs out."""

    def __init__(
        self,
        period_ms: int = PERIOD_MS,
        now_ms: Callable[[], float] = lambda: time.monotonic() * 1000,
    ) -> None:
        # passed in
        self._period_ms = period_ms
        self._now_ms = now_ms
        # made here
        self._expires: dict[str, float] = {}
        self._held: dict[str, dict[str, int]] = {}

    async def tell(self, holder: str, claims: Sequence[Claim]) -> Told:
        """Whoever was silent for a period has nothing any more."""
        now = self._now_ms()
        for name in [name for name, at in self._expires.items() if at <= now]:
            await self.withdraw(name)
        known = holder in self._expires
        self._expires[holder] = now + self._period_ms
        held = self._held.setdefault(holder, {})
        return Told(known, [self._grant(held, claim) for claim in claims])

    def _grant(self, held: dict[str, int], claim: Claim) -> int:
        total = sum(theirs.get(claim.key, 0) for theirs in self._held.values())
        free = claim.limit - (total - held.pop(claim.key, 0))
        granted = max(claim.held, min(claim.wanted, free))
        if granted:
            held[claim.key] = granted
        return granted

    async def withdraw(self, holder: str) -> None:
        """It leaves with everything it had."""
        self._expires.pop(holder, None)
        self._held.pop(holder, None)
