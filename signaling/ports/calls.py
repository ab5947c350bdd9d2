"""Calls beside the log."""

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from signaling.model import Event


class LiveCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call whose `call:ended` is not in the log yet."""

    id: str
    app: str
    conversation: str
    node: str
    """The one that holds it."""
    seen_at: int
    """When its node last said that it goes on."""
    ended: bool = False
    """Its end is decided and still to be logged."""
    talking: tuple[str, ...] = ()
    """Users who are in it."""
    data: dict[str, Any] = {}
    """The call itself."""


class LiveCalls(Protocol):
    """Calls under way, on disk: no crash forgets one, and every node knows who holds it."""

    async def begin(self, call: LiveCall) -> LiveCall:
        """Keep it, or give back the one there is: with this id, or going on in its conversation."""

    async def put(self, call: LiveCall) -> bool:
        """Replace what is kept; False when it is not kept any more."""

    async def remove(self, call: str) -> None:
        """Forget it: the log knows."""

    async def going(self, conversation: str) -> LiveCall | None:
        """The one of a conversation that is not over."""

    async def unattended(self, node: str, seen_before: int) -> list[LiveCall]:
        """Those of this node, and those whose node has said nothing since."""

    async def touch(self, node: str, now: int) -> None:
        """This node's go on."""

    async def talking(self, app: str, users: Sequence[str]) -> set[str]:
        """Those of the users who are in a call that is not over, on any node."""

    async def ended(
        self, app: str, user: str, before: int, limit: int
    ) -> tuple[list[Event], int | None]:
        """`call:ended` of a member's conversations, newest first, and the position to go on before;
        None at the end.
        """
