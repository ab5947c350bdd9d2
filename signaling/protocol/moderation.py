"""Requests about reports, and REST bodies of bans."""

from typing import Annotated, Literal

import msgspec

from signaling.protocol.fields import ConversationKey, Limit, Milliseconds, Seq

Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=1_000)]
Note = Annotated[str, msgspec.Meta(max_length=1_000)]


class ReportMessage(msgspec.Struct, frozen=True, kw_only=True):
    """`message:report`: once for each member and message."""

    conversation: ConversationKey
    seq: Seq
    reason: Reason


class ListReports(msgspec.Struct, frozen=True, kw_only=True):
    """`report:list`: of one conversation for its admins, of the app for the app's."""

    conversation: ConversationKey | None = None
    state: Literal["open", "resolved"] = "open"
    before: str | None = None
    """The `next` of the page before."""
    limit: Limit = 50


class ResolveReport(msgspec.Struct, frozen=True, kw_only=True):
    """`report:resolve`: what is done about it, as the one who asks may do it."""

    report: str
    action: Literal["dismiss", "recall", "mute", "kick", "ban", "suspend"]
    until: Milliseconds | None = None
    """Of a mute, ban or suspension; null is for ever."""
    note: Note | None = None


class BanUser(msgspec.Struct, frozen=True, kw_only=True):
    """Shut a user out of the app."""

    until: Milliseconds | None = None
    """Null is for ever."""
    reason: Note = ""


class LiftedView(msgspec.Struct, frozen=True, kw_only=True):
    """Who may come again."""

    user: str


class BanView(msgspec.Struct, frozen=True, kw_only=True):
    """A user who is shut out."""

    user: str
    until: int | None
    reason: str
    by: str
    at: int
