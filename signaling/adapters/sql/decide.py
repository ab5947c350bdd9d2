"""Carry out a decision: show it the scene, write the change it wants, all in one transaction."""

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec.structs import replace
from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from signaling import ids
from signaling.adapters.sql.append import find_events, replace_data
from signaling.adapters.sql.audit import append_audit
from signaling.adapters.sql.blocks import blocking, with_blocks
from signaling.adapters.sql.invites import use_invite
from signaling.adapters.sql.pending import MESSAGE, Head, Pending
from signaling.adapters.sql.positions import last_position
from signaling.adapters.sql.rows import (
    CONVERSATION,
    MEMBER,
    conversation_of,
    conversation_values,
    json_text,
    member_of,
    member_values,
)
from signaling.adapters.sql.sends import find_sent, same_send
from signaling.adapters.sql.tables import conversations, members, mentions
from signaling.adapters.sql.texts import change_text
from signaling.errors import Refused
from signaling.model import Change, Conversation, Decided, Draft, Event, Member, Scene
from signaling.ports import Decide


def find_conversation(connection: Connection, app: str, key: str) -> Conversation | None:
    """By id or alias. What looks like an id is never taken for somebody's alias."""
    found = find_by_id(connection, app, key)
    if found is None and not ids.fits(key):
        found = _find(connection, app, conversations.c.alias == key)
    return found


def find_by_id(connection: Connection, app: str, conversation: str) -> Conversation | None:
    """By id only."""
    return _find(connection, app, conversations.c.id == conversation)


def _find(connection: Connection, app: str, named: ColumnElement[bool]) -> Conversation | None:
    query = select(*CONVERSATION).where(named, conversations.c.app == app)
    row = connection.execute(query).first()
    return conversation_of(row) if row else None


def find_member(connection: Connection, conversation: str, user: str) -> Member | None:
    """One member who has not left, without their name."""
    query = select(*MEMBER).where(
        members.c.conversation == conversation,
        members.c.user == user,
        members.c.left_at.is_(None),
    )
    found = connection.execute(query).first()
    return member_of(found) if found else None


def create(
    connection: Connection,
    conversation: Conversation,
    joining: Sequence[Member],
    drafts: Sequence[Draft],
    gathering: str | None = None,
) -> tuple[Conversation, list[Event]]:
    """See ports.Conversations.create."""
    existing = _existing(connection, conversation, drafts)
    if existing is not None:
        return existing, []
    users = [member.user for member in joining]
    if gathering is not None and blocking(connection, conversation.app, users, gathering):
        raise Refused("forbidden", "somebody among them does not want to be added by you")
    fresh = replace(conversation, head=0, messages=0, position=0, member_count=len(joining))
    if fresh.type == "direct":
        fresh = with_blocks(connection, fresh, users)
    connection.execute(insert(conversations).values(conversation_values(fresh)))
    _, made = _append(connection, fresh, drafts)
    moved = made[-1].position if made else last_position(connection)
    if joining:
        rows = [member_values(member, conversation.app, moved) for member in joining]
        connection.execute(insert(members), rows)
    return _reload(connection, fresh), made


def _existing(
    connection: Connection, conversation: Conversation, drafts: Sequence[Draft]
) -> Conversation | None:
    sent = find_sent(connection, drafts[:1])
    earlier = same_send(sent, drafts[0]) if drafts else None
    if earlier is not None:
        return find_by_id(connection, conversation.app, earlier.conversation)
    _check_alias(connection, conversation)
    found = find_by_id(connection, conversation.app, conversation.id)
    if found is not None and found.type != conversation.type:
        raise Refused("conflict", "this id belongs to another kind of conversation")
    return found


def _check_alias(connection: Connection, conversation: Conversation) -> None:
    if conversation.alias is None:
        return
    taken = _find(connection, conversation.app, conversations.c.alias == conversation.alias)
    if taken is not None and taken.id != conversation.id:
        raise Refused("conflict", "this alias is taken")


def decide_in(
    connection: Connection,
    *,
    app: str,
    conversation: str,
    users: Iterable[str],
    decide: Decide,
    target: int | None,
) -> Decided:
    """See ports.Conversations.decide."""
    before = find_conversation(connection, app, conversation)
    if before is None:
        raise Refused("not_found", "no such conversation")
    scene = _scene(connection, before, users, target)
    change = decide(scene)
    earlier = _earlier(connection, change)
    if earlier is not None:
        return Decided(conversation=before, members=scene.members, events=[earlier], duplicate=True)
    return _carry_out(connection, scene, change)


def _earlier(connection: Connection, change: Change) -> Event | None:
    if not change.drafts:
        return None
    first = change.drafts[0]
    sent = same_send(find_sent(connection, [first]), first)
    if sent is None:
        return None
    key = (sent.conversation, sent.seq)
    return find_events(connection, [key]).get(key)


def _scene(
    connection: Connection, conversation: Conversation, users: Iterable[str], target: int | None
) -> Scene:
    mine = members.c.conversation == conversation.id
    named = select(*MEMBER).where(mine, members.c.user.in_(list(users)))
    owners = (
        select(func.count())
        .select_from(members)
        .where(mine, members.c.role == "owner", members.c.left_at.is_(None))
    )
    found = map(member_of, connection.execute(named))
    key = (conversation.id, target or 0)
    return Scene(
        conversation=conversation,
        members={member.user: member for member in found},
        owners=connection.execute(owners).scalar_one(),
        target=find_events(connection, [key]).get(key) if target else None,
    )


def _carry_out(connection: Connection, scene: Scene, change: Change) -> Decided:
    conversation, made = _append(connection, scene.conversation, change.drafts)
    moved = made[-1].position if made else last_position(connection)
    if change.conversation is not None:
        _change_conversation(connection, scene.conversation, change.conversation)
    if change.invite is not None:
        use_invite(connection, scene.conversation.app, change.invite, change.drafts[0].at)
    for member in change.members:
        _put_member(connection, scene, member, moved)
    if change.target is not None and scene.target is not None:
        _change_target(connection, scene.target, change.target)
    redact(connection, scene.conversation.id, change.redact)
    for entry in change.audit:
        append_audit(connection, entry)
    return Decided(
        conversation=_reload(connection, conversation),
        members={**scene.members, **{member.user: member for member in change.members}},
        events=made,
    )


def _append(
    connection: Connection, conversation: Conversation, drafts: Sequence[Draft]
) -> tuple[Conversation, list[Event]]:
    pending, head = Pending(), Head(conversation)
    for draft in drafts:
        pending.add(head, draft)
    made = pending.flush(connection)
    return replace(conversation, head=head.seq, messages=head.messages), made


def _change_conversation(connection: Connection, old: Conversation, new: Conversation) -> None:
    if new.alias != old.alias:
        _check_alias(connection, new)
    connection.execute(
        update(conversations)
        .where(conversations.c.id == old.id)
        .values(
            title=new.title,
            alias=new.alias,
            open=new.open,
            archived_at=new.archived_at,
            settings=json_text(new.settings),
        )
    )


def _put_member(connection: Connection, scene: Scene, member: Member, moved: int) -> None:
    values = member_values(member, scene.conversation.app, moved)
    old = scene.members.get(member.user)
    if old is None:
        connection.execute(insert(members).values(values))
    else:
        here = (members.c.conversation == member.conversation) & (members.c.user == member.user)
        connection.execute(update(members).where(here).values(values))
    grown = (member.left_at is None) - (old is not None and old.left_at is None)
    if grown:
        connection.execute(
            update(conversations)
            .where(conversations.c.id == member.conversation)
            .values(member_count=conversations.c.member_count + grown)
        )


def _change_target(connection: Connection, target: Event, data: dict[str, Any]) -> None:
    changed = replace(target, data=data)
    replace_data(connection, changed)
    if target.type != MESSAGE:
        return
    if target.data.get("body") != data.get("body"):
        change_text(connection, changed)
    if target.data.get("mentions") != data.get("mentions"):
        here = (mentions.c.conversation == target.conversation) & (mentions.c.seq == target.seq)
        connection.execute(mentions.delete().where(here))
        named = dict.fromkeys(data.get("mentions") or ())
        place = {"conversation": target.conversation, "seq": target.seq}
        if named:
            connection.execute(insert(mentions), [{**place, "user": user} for user in named])


def redact(connection: Connection, conversation: str, seqs: Iterable[int]) -> None:
    """Blank the `body` of these events."""
    for event in find_events(connection, [(conversation, seq) for seq in seqs]).values():
        replace_data(connection, replace(event, data={**event.data, "body": None}))


def _reload(connection: Connection, conversation: Conversation) -> Conversation:
    query = select(*CONVERSATION).where(conversations.c.id == conversation.id)
    return conversation_of(connection.execute(query).one())
