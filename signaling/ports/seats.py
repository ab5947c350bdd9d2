"""How many of one kind are here at a time: Connections of a user, sockets of an address."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Seats(Protocol):
    """Places by key, so many for each over all nodes. Who took one leaves it, once."""

    async def take(self, key: str) -> bool:
        """False when all are taken. Never refuses because others cannot be asked."""

    def leave(self, key: str) -> None: ...


class Claim(NamedTuple):
    """What a node says of one key."""

    key: str
    held: int
    """It has so many, whatever the limit."""
    wanted: int
    """And would have so many, that at least."""
    limit: int


class Told(NamedTuple):
    """What it hears."""

    known: bool
    """False when nothing of what the node said before is kept."""
    granted: list[int]
    """For each claim, what the node has now: from `held` to `wanted`."""


class Ledger(Protocol):
    """Who holds how many seats. What a holder said counts until it says otherwise, or was silent
    for a period (10 s).
    """

    async def tell(self, holder: str, claims: Sequence[Claim]) -> Told:
        """At once for each key: of all holders none gets what is over the limit. Raises Refused
        unavailable.
        """

    async def withdraw(self, holder: str) -> None:
        """It leaves with everything it had."""
