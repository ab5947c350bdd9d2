"""One worker at a time among all nodes of a database, and another soon after it dies."""

from typing import Protocol

from signaling.ports import Clock

LEASE_MS = 20_000
"""Longer than a delivery may take, so that a holder that lost it is done before the next begins."""
RENEW_MS = 5_000


class Leases(Protocol):
    """Who does what, in the database: it works without Redis, and wherever the log does."""

    async def take(self, name: str, holder: str, now: int, until: int) -> bool:
        """Take or prolong; False while another holds it."""

    async def release(self, name: str, holder: str) -> None:
        """Give it back, if it is this holder's."""

    async def seize(self, name: str) -> None:
        """Take it from whoever has it: there is nobody else."""


class Lease:
    """One name, as one node sees it."""

    def __init__(self, leases: Leases, name: str, holder: str, clock: Clock) -> None:
        # passed in
        self._leases = leases
        self._name = name
        self._holder = holder
        self._clock = clock
        # made here
        self._renewed_at: int | None = None

    async def held(self) -> bool:
        """Whether this node may work now; asks the database every few seconds only."""
        now = self._clock()
        if self._renewed_at is not None and 0 <= now - self._renewed_at < RENEW_MS:
            return True
        self._renewed_at = None
        if await self._leases.take(self._name, self._holder, now, now + LEASE_MS):
            self._renewed_at = now
        return self._renewed_at is not None

    async def seize(self) -> None:
        """What a process that is alone does at its start: the holder was an earlier life of it."""
        await self._leases.seize(self._name)

    async def release(self) -> None:
        """Let the next one begin at once."""
        if self._renewed_at is not None:
            self._renewed_at = None
            await self._leases.release(self._name, self._holder)
