"""Who comes into a conversation, who goes, and in what role."""

from collections.abc import Sequence
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from signaling.errors import Refused
from signaling.model import Change, Conversation, Decided, Identity, Invite, Member, Role, Scene
from signaling.ports import Clock, Conversations, Decide, Users
from signaling.protocol.conversations import (
    AddMember,
    BanMember,
    JoinConversation,
    LeaveConversation,
    ListMembers,
    RemoveMember,
    UpdateMember,
)
from signaling.services import rules
from signaling.services.announce import Announcer
from signaling.services.banning import audited, banning
from signaling.services.conversations import ConversationService
from signaling.services.creating import draft, first_members, joined_draft, open_group
from signaling.services.limits import Limits
from signaling.services.views import member_view


class MembershipService:
    """Answers `conversation:join`, `conversation:leave` and `member:*`."""

    def __init__(
        self,
        conversations: Conversations,
        users: Users,
        views: ConversationService,
        announcer: Announcer,
        limits: Limits,
        clock: Clock,
    ) -> None:
        self._conversations = conversations
        self._users = users
        self._views = views
        self._announcer = announcer
        self._limits = limits
        self._clock = clock

    async def join(self, who: Identity, request: JoinConversation) -> dict[str, Any]:
        """`conversation:join`; again changes nothing. Raises Refused: not_found, forbidden."""
        key = request.conversation or request.alias
        if key is None:
            raise Refused("bad_request", "name a conversation, an alias or an invitation")
        if request.alias and request.create:
            await self._create_open(who, request.alias, request.title)
        decided = await self._enter(who, key)
        return {"conversation": await self._views.view(who, decided.conversation.id)}

    async def _create_open(self, who: Identity, alias: str, title: str | None) -> None:
        if await self._conversations.get(who.app, alias) is not None:
            return
        fresh = open_group(who, alias, title, self._clock())
        members, drafts = first_members(who, fresh, ())
        try:
            made, events = await self._conversations.create(fresh, members, drafts)
        except Refused as refused:
            if refused.code != "conflict":
                raise
            return  # Somebody else made it a moment ago: there it is.
        await self._announcer.events(made, events)

    async def _enter(self, who: Identity, key: str, invite: Invite | None = None) -> Decided:
        """Make the caller a member, through an open door or invited."""
        now = self._clock()

        def decide(scene: Scene) -> Change:
            old = scene.members.get(who.user)
            if old is not None and old.left_at is None:
                return Change()
            if not (scene.conversation.open or invite) or scene.conversation.type == "direct":
                raise Refused("not_found", "no such conversation")
            joining = self._joining(who, scene, who.user, invite.role if invite else "member", now)
            return replace(joining, invite=invite.id if invite else None)

        return await self._decide(who, key, [who.user], decide)

    async def enter_invited(self, who: Identity, invite: Invite) -> dict[str, Any]:
        """Join what is not open, by an invitation, which is used up with it."""
        decided = await self._enter(who, invite.conversation, invite)
        return {"conversation": await self._views.view(who, decided.conversation.id)}

    async def leave(self, who: Identity, request: LeaveConversation) -> dict[str, Any]:
        """`conversation:leave`. The last owner cannot; a direct conversation cannot be left."""
        now = self._clock()

        def decide(scene: Scene) -> Change:
            member = rules.present(scene.members.get(who.user))
            rules.not_direct(scene.conversation)
            alone = scene.conversation.member_count == 1
            if member.role == "owner" and scene.owners == 1 and not alone:
                raise Refused("conflict", "make somebody else an owner first")
            return _leaving(who, scene, member, "left", now)

        decided = await self._decide(who, request.conversation, [who.user], decide)
        return {"conversation": {"id": decided.conversation.id}}

    async def add(self, who: Identity, request: AddMember) -> dict[str, Any]:
        """`member:add`. Raises Refused: not_found, forbidden, quota_exceeded."""
        apart = await self._users.blocked(who.app, request.user, who.user)
        now = self._clock()

        def decide(scene: Scene) -> Change:
            actor = rules.may_manage(who, scene.conversation, scene.members.get(who.user))
            rules.may_set_role(who, actor, None, request.role)
            old = scene.members.get(request.user)
            if old is not None and old.left_at is None:
                return Change()
            if apart and not who.grants.admin:
                raise Refused("forbidden", "this user does not want to be added by you")
            entry = audited(who, scene, "member:added", request.user, now, role=request.role)
            joining = self._joining(who, scene, request.user, request.role, now)
            return replace(joining, audit=(entry,))

        return await self._member(who, request.conversation, request.user, decide)

    async def remove(self, who: Identity, request: RemoveMember) -> dict[str, Any]:
        """`member:remove`, and ban until a time."""
        now = self._clock()

        def decide(scene: Scene) -> Change:
            actor = rules.may_moderate(who, scene.conversation, scene.members.get(who.user))
            target = scene.members.get(request.user)
            if request.banned_until is not None and request.user != who.user:
                ban = BanMember(
                    conversation=scene.conversation.id,
                    user=request.user,
                    until=request.banned_until,
                )
                return banning(who, scene, ban, now)
            if target is None or target.left_at is not None:
                raise Refused("not_found", "no such member")
            if request.user == who.user:
                raise Refused("bad_request", "use conversation:leave")
            rules.may_set_role(who, actor, target.role, target.role)
            if target.role == "owner" and scene.owners == 1:
                raise Refused("conflict", "the last owner stays one")
            gone = _leaving(who, scene, target, "removed", now)
            return replace(gone, audit=(audited(who, scene, "member:removed", target.user, now),))

        decided = await self._decide(who, request.conversation, [who.user, request.user], decide)
        return {"conversation": {"id": decided.conversation.id}}

    async def update(self, who: Identity, request: UpdateMember) -> dict[str, Any]:
        """`member:update`: role, mute, ban."""
        now = self._clock()

        def decide(scene: Scene) -> Change:
            actor = rules.may_moderate(who, scene.conversation, scene.members.get(who.user))
            target = scene.members.get(request.user)
            if target is None:
                raise Refused("not_found", "no such member")
            return _changing(who, scene, actor, target, request, now)

        return await self._member(who, request.conversation, request.user, decide)

    async def list(self, who: Identity, request: ListMembers) -> dict[str, Any]:
        """`member:list`. Raises Refused not_found."""
        standing = await self._conversations.standing(who.app, request.conversation, who.user)
        if standing is None:
            raise Refused("not_found", "no such conversation")
        name = standing.conversation.id
        found = await self._conversations.members(name, request.after, request.limit)
        more = len(found) == request.limit
        following = found[-1].user if more else None
        return {"members": [member_view(member) for member in found], "next": following}

    async def _member(self, who: Identity, key: str, user: str, decide: Decide) -> dict[str, Any]:
        decided = await self._decide(who, key, [who.user, user], decide)
        member = decided.members[user]
        return {"conversation": {"id": decided.conversation.id}, "member": member_view(member)}

    async def _decide(
        self, who: Identity, key: str, users: Sequence[str], decide: Decide
    ) -> Decided:
        decided = await self._conversations.decide(who.app, key, users, decide)
        await self._announcer.events(decided.conversation, decided.events)
        return decided

    def _joining(self, who: Identity, scene: Scene, user: str, role: Role, now: int) -> Change:
        conversation, old = scene.conversation, scene.members.get(user)
        if conversation.archived_at is not None:
            raise Refused("forbidden", "the conversation is archived")
        rules.may_enter(old, now)
        if conversation.member_count >= self._limits.group_members:
            raise Refused("quota_exceeded", f"at most {self._limits.group_members} members")
        member = _new_member(conversation, user, role, now)
        if old is not None:  # Coming again ends no mute and no pause.
            member = replace(member, muted_until=old.muted_until, sent_at=old.sent_at)
        event = joined_draft(who, conversation, user, role, now)
        if member.from_seq:
            event = replace(event, data={**event.data, "from_seq": member.from_seq})
        return Change(members=(member,), drafts=(event,))


def _new_member(conversation: Conversation, user: str, role: Role, now: int) -> Member:
    seq = conversation.head + 1
    hidden = conversation.settings.get("history", "start") == "joining"
    return Member(
        conversation=conversation.id,
        user=user,
        role=role,
        joined_at=now,
        from_seq=seq if hidden else 0,
        delivered=seq,
        read=seq,
    )


def _leaving(who: Identity, scene: Scene, member: Member, reason: str, now: int) -> Change:
    data = {"user": member.user, "role": member.role, "reason": reason}
    event = draft(who, scene.conversation, "member:left", data, now)
    gone = replace(member, left_at=now, left_seq=scene.conversation.head + 1)
    return Change(members=(gone,), drafts=(event,))


def _changing(
    who: Identity, scene: Scene, actor: Member, target: Member, request: UpdateMember, now: int
) -> Change:
    fields: dict[str, Any] = {}
    for name in ("role", "muted_until", "banned_until"):
        value = getattr(request, name)
        if value is not UNSET and value != getattr(target, name):
            fields[name] = value
    if not fields:
        return Change()
    if fields.get("banned_until") is not None and target.left_at is None:
        raise Refused("bad_request", "use member:ban: a member is out with it")
    if set(fields) != {"role"} or not rules.steps_down(actor, target, fields["role"]):
        rules.may_set_role(who, actor, target.role, fields.get("role", target.role))
    last_owner = target.role == "owner" and scene.owners == 1
    if "role" in fields and last_owner and target.left_at is None:
        raise Refused("conflict", "the last owner stays one")
    changed = replace(target, **fields)
    audit = (audited(who, scene, "member:updated", target.user, now, **fields),)
    if target.left_at is not None:
        return Change(members=(changed,), audit=audit)
    data = {"user": target.user, "role": changed.role, **fields}
    event = draft(who, scene.conversation, "member:updated", data, now)
    return Change(members=(changed,), drafts=(event,), audit=audit)
