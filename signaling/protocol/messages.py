"""Requests about messages and history."""

from typing import Annotated, Any

import msgspec

from signaling.protocol.fields import ClientId, ConversationKey, Limit, Milliseconds, Seq, UserId

Kind = Annotated[
    str,
    msgspec.Meta(
        max_length=64,
        pattern=r"^[a-z][a-z0-9_.-]*$",
        description="`text`, `file`, `location`, or the app's own.",
    ),
]
Mentions = Annotated[
    list[UserId], msgspec.Meta(max_length=100, description="Users; `*` is everyone.")
]
ExpiresIn = Annotated[int, msgspec.Meta(ge=1, le=366 * 86_400, description="Seconds.")]
Emoji = Annotated[str, msgspec.Meta(min_length=1, max_length=32)]


class SendMessage(msgspec.Struct, frozen=True, kw_only=True):
    """`message:send`. With `send_at` it is kept and sent then."""

    conversation: ConversationKey
    client_id: ClientId
    type: Kind
    body: dict[str, Any]
    reply_to: Seq | None = None
    thread: Seq | None = None
    """Seq of the message the thread starts at."""
    mentions: Mentions = []
    expires_in: ExpiresIn | None = None
    send_at: Milliseconds | None = None


class EditMessage(msgspec.Struct, frozen=True, kw_only=True):
    """`message:edit`: the sender's own."""

    conversation: ConversationKey
    seq: Seq
    body: dict[str, Any]
    mentions: Mentions | None = None
    """None keeps them."""


class RecallMessage(msgspec.Struct, frozen=True, kw_only=True):
    """`message:recall`: its body goes for ever, from every place it was kept."""

    conversation: ConversationKey
    seq: Seq


class PinMessage(msgspec.Struct, frozen=True, kw_only=True):
    """`message:pin`."""

    conversation: ConversationKey
    seq: Seq
    on: bool = True


class SetReaction(msgspec.Struct, frozen=True, kw_only=True):
    """`reaction:set`."""

    conversation: ConversationKey
    seq: Seq
    emoji: Emoji
    on: bool = True


class GetHistory(msgspec.Struct, frozen=True, kw_only=True):
    """`history:get`: the `limit` newest before, or the oldest after; of one thread if named."""

    conversation: ConversationKey
    before: Annotated[int, msgspec.Meta(ge=0, le=2**53)] | None = None
    after: Annotated[int, msgspec.Meta(ge=0, le=2**53)] | None = None
    limit: Limit = 50
    thread: Seq | None = None


class SearchMessages(msgspec.Struct, frozen=True, kw_only=True):
    """`message:search` in one's own conversations, newest first; `before` is the `next` before."""

    query: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    conversation: ConversationKey | None = None
    before: str | None = None
    limit: Limit = 20


class ListScheduled(msgspec.Struct, frozen=True, kw_only=True):
    """`scheduled:list`: one's own messages that wait for their time."""

    conversation: ConversationKey | None = None


class CancelScheduled(msgspec.Struct, frozen=True, kw_only=True):
    """`scheduled:cancel`."""

    scheduled: str
