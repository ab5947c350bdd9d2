"""Offers, answers and candidates between two clients, relayed as they are."""

from typing import Any, Protocol

import msgspec

from signaling import topics
from signaling.bucket import Buckets
from signaling.errors import Refused
from signaling.model import Identity
from signaling.ports import Broker, Clock, Hint
from signaling.protocol.calls import SignalSend

SIGNAL_MAX_BYTES = 64 * 1024
REMEMBER_MS = 30_000
REMEMBERED_MAX = 10_000


class Acquaintances(Protocol):
    """Who knows whom."""

    async def share(self, app: str, user: str, other: str) -> bool:
        """Whether they have a Conversation in common."""


class Blocks(Protocol):
    """Who does not want to hear from whom."""

    async def blocked(self, app: str, by: str, user: str) -> bool:
        """Whether `by` blocks `user`."""


class Signals:
    """Answers `signal:send`."""

    def __init__(
        self, acquaintances: Acquaintances, blocks: Blocks, broker: Broker, clock: Clock
    ) -> None:
        # passed in
        self._acquaintances = acquaintances
        self._blocks = blocks
        self._broker = broker
        self._clock = clock
        # made here
        self._may: dict[tuple[str, str, str], tuple[int, bool]] = {}
        self._rates = Buckets(per_second=50, burst=200)

    async def opened(self, who: Identity) -> None:
        """Nothing to do."""

    async def closed(self, who: Identity, reason: str) -> None:
        """Its allowance goes with it."""
        self._rates.forget(who.connection)

    async def send(self, who: Identity, request: SignalSend) -> dict[str, Any]:
        """`signal:send`. Raises Refused: bad_request, too_large, forbidden, rate_limited."""
        self._rates.take(who.connection, self._clock())
        if (request.description is None) == (request.candidate is None):
            raise Refused("bad_request", "a signal is either a description or a candidate")
        signal: dict[str, Any] = {"from": {"user": who.user, "device": who.device}}
        for name in ("call", "description", "candidate"):
            if getattr(request, name) is not None:
                signal[name] = getattr(request, name)
        if len(msgspec.json.encode(signal)) > SIGNAL_MAX_BYTES:
            raise Refused("too_large", f"a signal may take {SIGNAL_MAX_BYTES} bytes")
        await self._check(who, request.to.user)
        hint = Hint(
            event="signal:received",
            data=signal,
            exclude=who.connection,
            device=request.to.device,
        )
        await self._broker.publish(topics.user(who.app, request.to.user), hint)
        return {}

    async def _check(self, who: Identity, other: str) -> None:
        """Answers are remembered for half a minute: a call sends dozens of candidates."""
        key, now = (who.app, who.user, other), self._clock()
        at, may = self._may.get(key, (0, False))
        if now - at > REMEMBER_MS:
            may = other == who.user or (
                await self._acquaintances.share(who.app, who.user, other)
                and not await self._blocks.blocked(who.app, other, who.user)
                and not await self._blocks.blocked(who.app, who.user, other)
            )
            if len(self._may) >= REMEMBERED_MAX:
                self._may.clear()
            self._may[key] = (now, may)
        if not may:
            raise Refused("forbidden", "no conversation in common with this user")
