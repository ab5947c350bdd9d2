"""How fast callers may ask: a bucket for each Connection, User, App and address.

Stands between the gateway and the node, and answers for the node when a bucket is empty.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from signaling.bucket import Bucket
from signaling.config import LimitSettings
from signaling.errors import Refused
from signaling.model import Identity
from signaling.ports import Clock, Hooks, Remote

PRUNE_AT: Final = 4096
"""Buckets of one kind before the full ones are forgotten: a full bucket says nothing."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many a second, and so many at once; 0 a second means any."""

    per_second: float
    burst: float


@dataclass(frozen=True, slots=True)
class Standing:
    """So many requests at once, so many of them left, and in how many seconds all again."""

    limit: int
    remaining: int
    reset_s: int


class Allowance:
    """The buckets of one kind."""

    def __init__(self, rate: Rate, clock: Clock) -> None:
        # passed in
        self._rate = rate
        self._clock = clock
        # made here
        self._buckets: dict[Any, tuple[Bucket, int]] = {}
        self._prune_at = PRUNE_AT

    def take(self, key: object) -> None:
        """Raises Refused rate_limited, with when to come back."""
        if self._rate.per_second:
            now = self._clock()
            self._bucket(key, now).take(now)

    def standing(self, key: object) -> Standing | None:
        """What is left for a caller; None when there is no limit."""
        if not self._rate.per_second:
            return None
        now = self._clock()
        bucket = self._bucket(key, now)
        reset_s = math.ceil(bucket.full_in_ms(now) / 1000)
        return Standing(int(self._rate.burst), int(bucket.left(now)), reset_s)

    def _bucket(self, key: object, now: int) -> Bucket:
        found = self._buckets.get(key)
        bucket = found[0] if found else Bucket(self._rate.per_second, self._rate.burst, now)
        self._buckets[key] = (bucket, now)
        if found is None and len(self._buckets) > self._prune_at:
            self._prune(now)
        return bucket

    def _prune(self, now: int) -> None:
        refill_ms = 1000 * self._rate.burst / self._rate.per_second
        self._buckets = {
            key: kept for key, kept in self._buckets.items() if now - kept[1] < refill_ms
        }
        self._prune_at = max(PRUNE_AT, 2 * len(self._buckets))

    def __len__(self) -> int:
        return len(self._buckets)


class Shared(Protocol):
    """Buckets that may be shared with other nodes."""

    async def take(self, key: str) -> None:
        """Raises Refused rate_limited."""

    def standing(self, key: str) -> Standing | None:
        """What is left for a caller, as far as this node knows; None when there is no limit."""


class Local:
    """Buckets of this node alone."""

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance

    async def take(self, key: str) -> None:
        """Raises Refused rate_limited."""
        self._allowance.take(key)

    def standing(self, key: str) -> Standing | None:
        """Exact."""
        return self._allowance.standing(key)


@dataclass(frozen=True, slots=True)
class Rates:
    """All of them."""

    connection: Rate = Rate(100, 500)
    user: Rate = Rate(200, 1000)
    app: Rate = Rate(5000, 25_000)
    address: Rate = Rate(2000, 20_000)
    comers: Rate = Rate(50, 500)
    """Connecting from an address, and asking there with wrong credentials."""
    rest: Rate = Rate(100, 500)
    """What a Connection is to a socket, a user or key is to REST."""

    @classmethod
    def of(cls, limits: LimitSettings) -> "Rates":
        """With bursts of five seconds' worth, ten of an address."""
        return cls(
            Rate(limits.connection_rate, 5 * limits.connection_rate),
            Rate(limits.user_rate, 5 * limits.user_rate),
            Rate(limits.app_rate, 5 * limits.app_rate),
            Rate(limits.address_request_rate, 10 * limits.address_request_rate),
            Rate(limits.address_rate, 10 * limits.address_rate),
            Rate(limits.rest_rate, 5 * limits.rest_rate),
        )


@dataclass(frozen=True, slots=True)
class Asking:
    """Whose buckets a request is taken from; the narrowest first, so that one caller empties only
    its own.
    """

    app: str
    address: str
    connection: str | None = None
    """Of a socket."""
    caller: str | None = None
    """Of REST."""
    user: str | None = None


class Allowances:
    """Every bucket of one process: sockets and REST draw from the same ones."""

    def __init__(
        self, rates: Rates, clock: Clock, shared: Callable[[str, Rate], Shared] | None = None
    ) -> None:
        """`shared(kind, rate)` makes what apps, and addresses that come, are asked of with several
        nodes. What an address asks is counted by each node: most ask so seldom that every request
        of theirs would ask the pot.
        """
        # made here
        self._connections = Allowance(rates.connection, clock)
        self._callers = Allowance(rates.rest, clock)
        self._users = Allowance(rates.user, clock)
        local = shared or (lambda _, rate: Local(Allowance(rate, clock)))
        self._apps = local("app", rates.app)
        self._addresses = Allowance(rates.address, clock)
        self._comers = local("address", rates.comers)
        self.refused_total = 0

    async def ask(self, asking: Asking) -> None:
        """One request. Raises Refused rate_limited, with when to come back."""
        try:
            if asking.connection is not None:
                self._connections.take(asking.connection)
            if asking.caller is not None:
                self._callers.take((asking.app, asking.caller))
            if asking.user is not None:
                self._users.take((asking.app, asking.user))
            self._addresses.take(asking.address)
            await self._apps.take(asking.app)
        except Refused:
            self.refused_total += 1
            raise

    async def come(self, address: str) -> None:
        """One who is not known yet. Raises Refused rate_limited."""
        try:
            await self._comers.take(address)
        except Refused:
            self.refused_total += 1
            raise

    def comers(self, address: str) -> Standing | None:
        """How an address stands where callers have no name."""
        return self._comers.standing(address)

    def standing(self, asking: Asking) -> Standing | None:
        """The tightest of a caller's buckets; None without limits."""
        found = [allowance.standing(key) for allowance, key in self._narrow(asking)]
        found += [self._apps.standing(asking.app), self._addresses.standing(asking.address)]
        known = [standing for standing in found if standing is not None]
        return min(known, key=lambda standing: standing.remaining, default=None)

    def _narrow(self, asking: Asking) -> Iterator[tuple[Allowance, object]]:
        if asking.connection is not None:
            yield self._connections, asking.connection
        if asking.caller is not None:
            yield self._callers, (asking.app, asking.caller)
        if asking.user is not None:
            yield self._users, (asking.app, asking.user)

    def stats(self) -> dict[str, int]:
        """Counters for the metrics."""
        return {"refused_total": self.refused_total}


class AllowedHooks:
    """The node's Hooks, as fast as the rates allow."""

    def __init__(self, hooks: Hooks, allowances: Allowances) -> None:
        # passed in
        self._hooks = hooks
        self._allowances = allowances
        # made here
        self._asking: dict[str, Asking] = {}
        """Whose buckets each Connection takes from, as long as it lasts."""

    async def authenticate(self, auth: Mapping[str, Any], remote: Remote) -> Identity:
        """See Hooks; an address that connects too often is refused before its token is read."""
        await self._allowances.come(remote.address)
        who = await self._hooks.authenticate(auth, remote)
        self._asking[who.connection] = _asking(who, remote.address)
        return who

    async def opened(self, who: Identity, cursor: str | None) -> dict[str, Any]:
        """See Hooks."""
        return await self._hooks.opened(who, cursor)

    async def request(self, who: Identity, event: str, payload: Any) -> dict[str, Any]:
        """See Hooks."""
        await self._allowances.ask(self._asking.get(who.connection) or _asking(who, ""))
        return await self._hooks.request(who, event, payload)

    async def closed(self, who: Identity, reason: str) -> None:
        """See Hooks; it comes for everyone who was let in."""
        self._asking.pop(who.connection, None)
        await self._hooks.closed(who, reason)


def _asking(who: Identity, address: str) -> Asking:
    return Asking(who.app, address, connection=who.connection, user=who.user)
