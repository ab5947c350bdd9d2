"""The event logs."""

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from signaling.model import Appended, Conversation, Draft, Event, History, Member, Standing

Allow = Callable[[Conversation, Member | None], None]
"""A policy: sees the conversation and the sender's membership (None: never a member, or left) as
they are inside the transaction, and raises Refused. Pure: it may run on another thread, or
twice."""


class Log(Protocol):
    """The event logs. A returned append is on disk; seq of a conversation runs 1, 2, 3 without a
    gap.
    """

    async def append(self, draft: Draft, allow: Allow | None = None) -> Appended:
        """Increment the head and insert, in one transaction. Raises Refused: not_found, conflict,
        unavailable, and what `allow` raises.

        A message moves its sender's own watermarks to it.
        """

    async def used(self, app: str, sender: str, client_id: str) -> bool:
        """Whether something was appended with this client_id."""

    async def read(
        self,
        conversation: str,
        *,
        after: int = 0,
        before: int | None = None,
        limit: int,
        thread: int | None = None,
    ) -> list[Event]:
        """Events in order. With `before`: the `limit` newest below it; else the oldest above
        `after`.

        `thread` keeps to the messages of one thread.
        """

    async def get(self, conversation: str, seq: int) -> Event | None:
        """One event."""

    async def history(
        self,
        app: str,
        conversation: str,
        user: str,
        *,
        after: int = 0,
        before: int | None = None,
        limit: int,
        thread: int | None = None,
    ) -> History | None:
        """Like `read`, by id or alias, of what this member may see. None: not a member."""

    async def since(
        self, app: str, user: str, position: int, known: Mapping[str, int], limit: int
    ) -> "Missed":
        """What a member has not seen: of every conversation that grew, or in which their watermarks
        moved, after `position`, and of those in `known` (id -> last seq seen): `limit` events each.

        Never skips an event that commits later; may repeat one. A membership that ended after
        `position` gives that one event.
        """

    async def tail(self, position: int, limit: int) -> tuple[list[tuple[str, Event]], int]:
        """(app, event) of the whole log after `position`, in order of commit, and the position
        reached.

        Position -1 reads nothing and gives the end.
        """

    async def ends(self, position: int, upto: int) -> "list[End]":
        """How far each conversation came after `position`, up to another one."""


class End(msgspec.Struct, frozen=True, kw_only=True):
    """How far a conversation came within a piece of the log."""

    app: str
    conversation: str
    seq: int
    """Of its newest event."""
    membership: bool
    """Somebody joined or left."""


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """What a member missed of one conversation, oldest first."""

    standing: Standing
    events: list[Event]
    limited: bool = False
    """There are more after the last of these."""


class Missed(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `Log.since`."""

    gaps: list[Gap]
    position: int
    """The end of the log when it was read."""
    known: bool = True
    """False when the position asked for lies beyond the end: it belongs to another log."""
