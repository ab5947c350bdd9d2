"""Short ways to values of the model."""

from typing import Any

from signaling import ids
from signaling.model import Conversation, Draft, Grants, Identity, Member, Role
from signaling.ports import Conversations

APP = "acme"


def identity(user: str, *, app: str = APP, device: str = "phone", admin: bool = False) -> Identity:
    """A caller."""
    return Identity(
        app=app,
        user=user,
        device=device,
        connection=f"{user}/{device}",
        name=user.title(),
        grants=Grants(admin=admin),
        expires_at=2**50,
    )


def message(
    conversation: str,
    sender: str,
    client_id: str | None = None,
    *,
    text: str = "hello",
    at: int = 1_000,
    refers: tuple[int, ...] = (),
    app: str = APP,
    **data: Any,
) -> Draft:
    """A `message:created`."""
    return Draft(
        app=app,
        conversation=conversation,
        id=ids.new("e"),
        type="message:created",
        sender=sender,
        at=at,
        data={"kind": "text", "body": {"text": text}, **data},
        client_id=client_id,
        fingerprint=text,
        refers=refers,
    )


def joined(conversation: str, user: str, app: str = APP) -> Draft:
    """A `member:joined`."""
    return Draft(
        app=app,
        conversation=conversation,
        id=ids.new("e"),
        type="member:joined",
        sender=user,
        at=1_000,
        data={"user": user, "role": "member"},
    )


def member(conversation: str, user: str, role: Role = "member", **fields: Any) -> Member:
    """A member of a conversation."""
    return Member(conversation=conversation, user=user, role=role, joined_at=1_000, **fields)


def conversation(name: str, **fields: Any) -> Conversation:
    """An empty group."""
    given: dict[str, Any] = {"app": APP, "type": "group", "created_at": 1_000, "created_by": "ann"}
    return Conversation(id=name, **{**given, **fields})


async def group(
    conversations: Conversations, *users: str, name: str | None = None, **fields: Any
) -> str:
    """Create a group without events; its id."""
    name = name or ids.new("c")
    members = [member(name, user) for user in users]
    made, _ = await conversations.create(conversation(name, **fields), members, [])
    return made.id
