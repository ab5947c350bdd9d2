"""How fast callers may ask of all nodes together: tokens are drawn from a shared pot, a few at a
time, so that most requests ask nobody.
"""

import asyncio
import logging
import math
from dataclasses import dataclass, field
from typing import Final, Protocol

from signaling.allowance import PRUNE_AT, Allowance, Rate, Standing
from signaling.errors import Refused
from signaling.ports import Clock

log = logging.getLogger(__name__)

DRAWS_PER_S: Final = 20
"""A caller at its full rate makes this node ask the pot so often."""
KEPT_MS: Final = 1_000
"""Tokens that are not used within this time are drawn anew: others may need them."""


class Pot(Protocol):
    """Buckets by kind and key. Drawing is atomic over all nodes."""

    async def draw(
        self, kind: str, key: str, per_second: float, burst: float, most: int
    ) -> tuple[int, int, int]:
        """(tokens given, up to `most`; in how many ms there will be one, when none was; how many
        are left in the pot).

        Raises Refused unavailable.
        """


@dataclass(slots=True)
class _Purse:
    tokens: int = 0
    drawn_at: int = 0
    empty_until: int = 0
    pot_left: int = 0
    """When it was drawn from last."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class SharedAllowance:
    """The buckets of one kind. While the pot is away, each node allows the rate by itself."""

    def __init__(self, kind: str, rate: Rate, pot: Pot, clock: Clock) -> None:
        # passed in
        self._kind = kind
        self._rate = rate
        self._pot = pot
        self._clock = clock
        # made here
        self._most = max(1, math.ceil(rate.per_second / DRAWS_PER_S))
        self._alone = Allowance(rate, clock)
        self._purses: dict[str, _Purse] = {}

    async def take(self, key: str) -> None:
        """Raises Refused rate_limited, with when to come back."""
        if not self._rate.per_second:
            return
        purse = self._purse(key)
        if self._spend(purse):
            return
        async with purse.lock:
            if not self._spend(purse):
                await self._refill(key, purse)

    def _spend(self, purse: _Purse) -> bool:
        if purse.tokens <= 0 or self._clock() - purse.drawn_at > KEPT_MS:
            return False
        purse.tokens -= 1
        return True

    async def _refill(self, key: str, purse: _Purse) -> None:
        now = self._clock()
        if now < purse.empty_until:
            raise _too_fast(purse.empty_until - now)
        rate = self._rate
        try:
            given, wait_ms, left = await self._pot.draw(
                self._kind, key, rate.per_second, rate.burst, self._most
            )
        except Refused as error:
            log.warning("the shared rates are away: %s", error.message)
            self._alone.take(key)
            return
        if not given:
            purse.empty_until = now + wait_ms
            raise _too_fast(wait_ms)
        purse.tokens, purse.drawn_at, purse.pot_left = given - 1, now, left

    def standing(self, key: str) -> Standing | None:
        """What was left when the pot was asked last, and has been earned since."""
        rate = self._rate
        if not rate.per_second:
            return None
        purse = self._purses.get(key)
        if purse is None:
            return Standing(int(rate.burst), int(rate.burst), 0)
        earned = max(0, self._clock() - purse.drawn_at) * rate.per_second / 1000
        left = min(rate.burst, purse.tokens + purse.pot_left + earned)
        if self._clock() < purse.empty_until:
            left = 0
        return Standing(
            int(rate.burst), int(left), math.ceil((rate.burst - left) / rate.per_second)
        )

    def _purse(self, key: str) -> _Purse:
        purse = self._purses.get(key)
        if purse is None:
            if len(self._purses) >= PRUNE_AT:
                self._prune()
            purse = self._purses[key] = _Purse()
        return purse

    def _prune(self) -> None:
        since = self._clock() - KEPT_MS
        self._purses = {
            key: purse
            for key, purse in self._purses.items()
            if purse.drawn_at > since or purse.empty_until > since or purse.lock.locked()
        }


def _too_fast(wait_ms: int) -> Refused:
    return Refused("rate_limited", "too many requests", retry_after_ms=max(1, wait_ms))
