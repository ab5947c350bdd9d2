"""Keeping somebody out of a conversation, also who was never in it; each act is written down."""

from collections.abc import Sequence
from typing import Any, Protocol

from msgspec.structs import replace

from signaling.audit.trail import actor_of
from signaling.errors import Refused
from signaling.model import AuditEntry, Change, Decided, Identity, Member, Scene
from signaling.ports import Clock, Conversations
from signaling.protocol.conversations import BanMember, ListBans, UnbanMember
from signaling.services import rules
from signaling.services.announce import Announcer
from signaling.services.creating import draft

FOREVER_MS = 2**53 - 1


class Banned(Protocol):
    """Who is kept out."""

    async def banned(
        self, conversation: str, now: int, after: str = "", limit: int = 100
    ) -> Sequence[Member]:
        """Those whose ban has not ended, ordered by user."""


class BanService:
    """Answers `member:ban`, `member:unban` and `member:bans`."""

    def __init__(
        self, conversations: Conversations, banned: Banned, announcer: Announcer, clock: Clock
    ) -> None:
        self._conversations = conversations
        self._banned = banned
        self._announcer = announcer
        self._clock = clock

    async def ban(self, who: Identity, request: BanMember) -> dict[str, Any]:
        """`member:ban`. A member is out at once. Raises Refused: not_found, forbidden, conflict."""
        now = self._clock()
        if request.user == who.user:
            raise Refused("bad_request", "that is you")
        if request.until is not None and request.until <= now:
            raise Refused("bad_request", "`until` has passed")
        decided = await self._decide(who, request, lambda scene: banning(who, scene, request, now))
        until = _until(decided.members[request.user])
        return {"conversation": {"id": decided.conversation.id}, "until": until}

    async def unban(self, who: Identity, request: UnbanMember) -> dict[str, Any]:
        """`member:unban`; of who is not banned it changes nothing."""
        now = self._clock()

        def decide(scene: Scene) -> Change:
            rules.may_moderate(who, scene.conversation, scene.members.get(who.user))
            target = scene.members.get(request.user)
            if target is None or target.banned_until is None:
                return Change()
            event = draft(who, scene.conversation, "member:unbanned", {"user": request.user}, now)
            entry = audited(who, scene, "member:unbanned", request.user, now)
            changed = replace(target, banned_until=None)
            return Change(members=(changed,), drafts=(event,), audit=(entry,))

        decided = await self._decide(who, request, decide)
        return {"conversation": {"id": decided.conversation.id}}

    async def list(self, who: Identity, request: ListBans) -> dict[str, Any]:
        """`member:bans`, by user. Raises Refused: not_found, forbidden."""
        found = await self._conversations.get(who.app, request.conversation)
        if found is None:
            raise Refused("not_found", "no such conversation")
        member = await self._conversations.member(found.id, who.user)
        rules.may_moderate(who, found, member)
        rows = await self._banned.banned(found.id, self._clock(), request.after, request.limit)
        bans = [{"user": row.user, "until": _until(row)} for row in rows]
        return {"bans": bans, "next": rows[-1].user if len(rows) == request.limit else None}

    async def _decide(
        self, who: Identity, request: BanMember | UnbanMember, decide: Any
    ) -> Decided:
        users = [who.user, request.user]
        decided = await self._conversations.decide(who.app, request.conversation, users, decide)
        await self._announcer.events(decided.conversation, decided.events)
        return decided


def banning(who: Identity, scene: Scene, request: BanMember, now: int) -> Change:
    """Out, if in, and not in again before the time: `member:banned`, then `member:left`."""
    conversation = scene.conversation
    actor = rules.may_moderate(who, conversation, scene.members.get(who.user))
    target = scene.members.get(request.user)
    inside = target is not None and target.left_at is None
    rules.may_set_role(who, actor, target.role if target and inside else None, "member")
    if target and inside and target.role == "owner" and scene.owners == 1:
        raise Refused("conflict", "the last owner stays one")
    data: dict[str, Any] = {"user": request.user, "until": request.until}
    if request.reason:
        data["reason"] = request.reason
    drafts = [draft(who, conversation, "member:banned", data, now)]
    kept = target or _stranger(scene, request.user, now)
    if inside:
        left = {"user": request.user, "role": kept.role, "reason": "banned"}
        drafts.append(draft(who, conversation, "member:left", left, now))
        kept = replace(kept, left_at=now, left_seq=conversation.head + len(drafts))
    until = FOREVER_MS if request.until is None else request.until
    entry = audited(who, scene, "member:banned", request.user, now, until=request.until)
    return Change(
        members=(replace(kept, banned_until=until),), drafts=tuple(drafts), audit=(entry,)
    )


def audited(
    who: Identity, scene: Scene, action: str, user: str, now: int, **details: Any
) -> AuditEntry:
    """An act on a member, for the trail."""
    return AuditEntry(
        app=who.app,
        at=now,
        actor=actor_of(who),
        action=action,
        subject=user,
        details={"conversation": scene.conversation.id, **details},
    )


def _stranger(scene: Scene, user: str, now: int) -> Member:
    """A seat of somebody who never had one. `joined_at` 0 tells it from one that ended."""
    return Member(
        conversation=scene.conversation.id,
        user=user,
        role="member",
        joined_at=0,
        left_at=now,
        left_seq=scene.conversation.head + 1,
    )


def _until(member: Member) -> int | None:
    return None if member.banned_until == FOREVER_MS else member.banned_until
