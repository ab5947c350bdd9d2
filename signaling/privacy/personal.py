"""What the stores know of one User."""

from typing import Any, Protocol

import msgspec

from signaling.model import Conversation, Event, Member
from signaling.services.file_record import File


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """A User's seat in a Conversation, left ones too."""

    conversation: Conversation
    member: Member


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Some of what a User sent."""

    events: list[Event]
    next: str | None
    """Where to go on; None at the end."""


class Marks(msgspec.Struct, frozen=True, kw_only=True):
    """Some of what a User did to messages in one Conversation."""

    events: list[Event]
    next: int | None
    """The seq to go on behind; None at the end."""


class PersonalData(Protocol):
    """Reads and blanks what is a User's. Every page is one short transaction."""

    async def profile(self, app: str, user: str) -> dict[str, Any]:
        """`{user, devices, blocks, scheduled, presence, privacy, reports}`; `user` is None for a
        stranger."""

    async def memberships(self, app: str, user: str, after: str, limit: int) -> list[Membership]:
        """Ordered by Conversation, ids above `after`."""

    async def sent(self, app: str, user: str, after: str, limit: int) -> Page:
        """Events the User made with a client_id, ordered by it."""

    async def marks(self, conversation: str, user: str, after: int) -> Marks:
        """The User's edits, with what a message said then, and reactions, behind a seq."""

    async def blank(self, app: str, user: str, after: str, limit: int, now: int) -> Page:
        """Empty the bodies of such a page, wherever they are kept; `events` are those changed."""

    async def unschedule(self, app: str, user: str) -> None:
        """Drop what waits to be sent."""

    async def heir(self, conversation: str, user: str) -> str | None:
        """Who has been there longest beside the User: an admin if there is one, else a member."""

    async def files(self, app: str, user: str, after: str, limit: int) -> list[File]:
        """What the User offered, ordered by id."""

    async def forget(self, app: str, user: str) -> None:
        """Drop profile, devices, blocks, what waits to be sent, and preferences."""
