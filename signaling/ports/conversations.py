"""Conversations, their members, and what is decided about them."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from signaling.model import (
    Change,
    Conversation,
    Decided,
    Draft,
    Event,
    Member,
    Moved,
    Reach,
    Scene,
    Standing,
)

Decide = Callable[[Scene], Change]
"""A decision over a scene; raises Refused. Pure, like Allow."""


class Conversations(Protocol):
    """Conversations, members and watermarks."""

    async def create(
        self,
        conversation: Conversation,
        members: Sequence[Member],
        drafts: Sequence[Draft],
        gathering: str | None = None,
    ) -> tuple[Conversation, list[Event]]:
        """Insert and append, or give back the one that has this id or client_id already (no events
        then). A direct one begins with the blocks between its two.

        Raises Refused: conflict (the alias is taken, the client_id was used for something else),
        forbidden when one of the members blocks the user who is `gathering` them.
        """

    async def get(self, app: str, conversation: str) -> Conversation | None:
        """By id or alias."""

    async def decide(
        self,
        app: str,
        conversation: str,
        users: Iterable[str],
        decide: Decide,
        target: int | None = None,
    ) -> Decided:
        """Show `decide` the scene (these users, this event) and do what it says, in one
        transaction.

        Raises Refused: not_found, conflict (alias taken, client_id used otherwise), unavailable.
        """

    async def member(self, conversation: str, user: str) -> Member | None:
        """One member who has not left."""

    async def members(self, conversation: str, after: str = "", limit: int = 100) -> list[Member]:
        """Members who have not left, ordered by user, with names."""

    async def banned(
        self, conversation: str, now: int, after: str = "", limit: int = 100
    ) -> list[Member]:
        """Those whose ban has not ended at `now`, ordered by user."""

    async def kept_out(self, conversation: str, user: str, now: int) -> bool:
        """Whether a user is banned from it at `now`."""

    async def members_of(
        self, conversations: Sequence[str], each: int = 100
    ) -> dict[str, list[Member]]:
        """The first `each` members of several conversations, with names."""

    async def standing(self, app: str, conversation: str, user: str) -> Standing | None:
        """One conversation (by id or alias) as one of its members sees it."""

    async def standings(
        self, app: str, user: str, before: int | None = None, limit: int = 100
    ) -> list[Standing]:
        """A member's conversations, the latest active first; `before` is the position of one."""

    async def totals(self, app: str, user: str) -> tuple[int, int]:
        """Unread messages, and those of them that mention the user, in all conversations."""

    async def reaches(self, app: str, user: str) -> list[Reach]:
        """Every conversation the user is in, with its head now and where they see from."""

    async def share(self, app: str, user: str, other: str) -> bool:
        """Whether two users have a conversation in common."""

    async def sharing(self, app: str, user: str, others: Sequence[str]) -> set[str]:
        """Those of `others` who are in some conversation with `user`."""

    async def receipts(self, conversation: str, seq: int) -> tuple[int, int]:
        """How many members an event was delivered to, and how many have read it."""

    async def advance(
        self, app: str, conversation: str, user: str, *, delivered: int = 0, read: int = 0
    ) -> Moved | None:
        """Move watermarks forward (never back, never past head, read pulls delivered). None if
        nothing moved.
        """
