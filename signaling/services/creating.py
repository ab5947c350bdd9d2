"""How conversations begin: the first members, the first events, and ids that follow from a pair."""

from collections.abc import Sequence
from typing import Any

import msgspec

from signaling import ids
from signaling.errors import Refused
from signaling.model import Conversation, Draft, Identity, Member, Role
from signaling.protocol.conversations import CreateConversation

_encode = msgspec.json.Encoder(order="deterministic").encode


def fingerprint(request: msgspec.Struct) -> str:
    """Digest of a request: equal for equal requests, whatever the order of keys."""
    return ids.of_bytes("", _encode(request))


def direct_id(app: str, one: str, other: str) -> str:
    """The id of the only direct conversation of a pair."""
    return ids.of("d", [app, *sorted({one, other})])


def conversation_for(who: Identity, request: CreateConversation, now: int) -> Conversation:
    """The conversation a request asks for."""
    direct = request.type == "direct"
    if direct and (request.title or request.alias or request.open):
        raise Refused("bad_request", "a direct conversation has no title, alias or door")
    users = sorted({who.user, *request.members})
    if direct and len(users) > 2:
        raise Refused("bad_request", "a direct conversation is between two users")
    return Conversation(
        id=direct_id(who.app, users[0], users[-1]) if direct else ids.new("c"),
        app=who.app,
        type=request.type,
        title=request.title,
        alias=request.alias,
        open=request.open,
        created_at=now,
        created_by=who.user,
        settings={"history": request.history},
    )


def open_group(who: Identity, alias: str, title: str | None, now: int) -> Conversation:
    """A group anyone of the app may join by its alias."""
    return Conversation(
        id=ids.new("c"),
        app=who.app,
        type="group",
        title=title or alias,
        alias=alias,
        open=True,
        created_at=now,
        created_by=who.user,
        settings={"history": "start"},
    )


def first_members(
    who: Identity, conversation: Conversation, others: Sequence[str]
) -> tuple[list[Member], list[Draft]]:
    """The creator and the others, and one `member:joined` for each."""
    creator: Role = "member" if conversation.type == "direct" else "owner"
    roles: dict[str, Role] = {who.user: creator}
    for user in others:
        roles.setdefault(user, "member")
    members = [
        Member(
            conversation=conversation.id,
            user=user,
            role=role,
            joined_at=conversation.created_at,
            delivered=seq,
            read=seq,
        )
        for seq, (user, role) in enumerate(roles.items(), start=1)
    ]
    drafts = [joined_draft(who, conversation, m.user, m.role, m.joined_at) for m in members]
    return members, drafts


def joined_draft(
    who: Identity, conversation: Conversation, user: str, role: Role, now: int
) -> Draft:
    """`member:joined`."""
    data: dict[str, Any] = {"user": user, "role": role}
    if user == who.user and who.name:
        data["name"] = who.name
    return draft(who, conversation, "member:joined", data, now)


def draft(
    who: Identity, conversation: Conversation, type_: str, data: dict[str, Any], now: int
) -> Draft:
    """An event of the log that this caller causes."""
    return Draft(
        app=conversation.app,
        conversation=conversation.id,
        id=ids.new("e"),
        type=type_,
        sender=who.user,
        at=now,
        data=data,
    )
