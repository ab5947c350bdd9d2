"""Conversations: made, listed, looked at, changed, archived."""

from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from signaling.audit.trail import actor_of
from signaling.errors import Refused
from signaling.model import AuditEntry, Change, Conversation, Identity, Scene
from signaling.ports import Clock, Conversations
from signaling.protocol.conversations import (
    ArchiveConversation,
    CreateConversation,
    GetConversation,
    ListConversations,
    PreferConversation,
    UpdateConversation,
)
from signaling.services import rules
from signaling.services.announce import Announcer
from signaling.services.creating import conversation_for, draft, fingerprint, first_members
from signaling.services.limits import Limits
from signaling.services.views import conversation_view, member_view, standing_view

SETTINGS = ("history", "slow_mode_ms", "recall_limit_ms", "retention_days", "attributes")
MEMBERS_IN_LIST = 20


class ConversationService:
    """Answers `conversation:*` except joining and leaving."""

    def __init__(
        self,
        conversations: Conversations,
        announcer: Announcer,
        limits: Limits,
        clock: Clock,
    ) -> None:
        self._conversations = conversations
        self._announcer = announcer
        self._limits = limits
        self._clock = clock

    async def create(self, who: Identity, request: CreateConversation) -> dict[str, Any]:
        """`conversation:create`. Raises Refused: bad_request, conflict, forbidden."""
        conversation = conversation_for(who, request, self._clock())
        if len(request.members) > self._limits.members_at_once:
            raise Refused("too_large", f"at most {self._limits.members_at_once} members at once")
        members, drafts = first_members(who, conversation, request.members)
        first = replace(drafts[0], client_id=request.client_id, fingerprint=fingerprint(request))
        drafts = [first, *drafts[1:]]
        freely = conversation.type == "direct" or who.grants.admin
        made, events = await self._conversations.create(
            conversation, members, drafts, None if freely else who.user
        )
        await self._announcer.events(made, events)
        return {"conversation": await self.view(who, made.id), "duplicate": not events}

    async def list(self, who: Identity, request: ListConversations) -> dict[str, Any]:
        """`conversation:list`. `next` is null on the last page; the totals are of all pages."""
        before = _page_token(request.after)
        found = await self._conversations.standings(who.app, who.user, before, request.limit)
        now = self._clock()
        small = [s.conversation.id for s in found if s.conversation.member_count <= MEMBERS_IN_LIST]
        members = await self._conversations.members_of(small, MEMBERS_IN_LIST)
        views = [standing_view(standing, now) for standing in found]
        for view in views:
            if view["id"] in members:
                view["members"] = [member_view(member) for member in members[view["id"]]]
        more = len(found) == request.limit
        following = str(found[-1].conversation.position) if more else None
        return {"conversations": views, "next": following, **await self.totals(who)}

    async def totals(self, who: Identity) -> dict[str, int]:
        """What a badge shows: over all conversations, not only those of a page."""
        unread, mentions = await self._conversations.totals(who.app, who.user)
        return {"unread_total": unread, "mentions_total": mentions}

    async def get(self, who: Identity, request: GetConversation) -> dict[str, Any]:
        """`conversation:get`; of an open one also for who has not joined."""
        return {"conversation": await self.view(who, request.conversation)}

    async def view(self, who: Identity, key: str) -> dict[str, Any]:
        """The conversation with members, up to 100. Raises Refused not_found."""
        standing = await self._conversations.standing(who.app, key, who.user)
        if standing is None:
            found = await self._conversations.get(who.app, key)
            if found is None or not found.open:
                raise Refused("not_found", "no such conversation")
            return conversation_view(found)
        name = standing.conversation.id
        members = await self._conversations.members_of([name], 100)
        shown = [member_view(member) for member in members[name]]
        return {**standing_view(standing, self._clock()), "members": shown}

    async def update(self, who: Identity, request: UpdateConversation) -> dict[str, Any]:
        """`conversation:update`. Raises Refused: not_found, forbidden, conflict."""
        now = self._clock()

        def decide(scene: Scene) -> Change:
            rules.may_manage(who, scene.conversation, scene.members.get(who.user))
            changed, fields = _updated(scene.conversation, request)
            if not fields:
                return Change()
            event = draft(who, scene.conversation, "conversation:updated", fields, now)
            entry = _entry(who, scene, fields, now)
            return Change(conversation=changed, drafts=(event,), audit=(entry,))

        return await self._decided(who, request.conversation, decide)

    async def archive(self, who: Identity, request: ArchiveConversation) -> dict[str, Any]:
        """`conversation:archive`."""
        if request.scope == "me":
            return await self._prefer(who, request.conversation, {"archived": request.archived})
        now = self._clock()

        def decide(scene: Scene) -> Change:
            rules.may_manage(who, scene.conversation, scene.members.get(who.user))
            archived_at = now if request.archived else None
            if (scene.conversation.archived_at is not None) == request.archived:
                return Change()
            fields = {"archived_at": archived_at}
            event = draft(who, scene.conversation, "conversation:updated", fields, now)
            changed = replace(scene.conversation, archived_at=archived_at)
            entry = _entry(who, scene, fields, now)
            return Change(conversation=changed, drafts=(event,), audit=(entry,))

        return await self._decided(who, request.conversation, decide)

    async def prefer(self, who: Identity, request: PreferConversation) -> dict[str, Any]:
        """`conversation:prefer`."""
        given = {
            "pinned": request.pinned,
            "silent_until": request.silent_until,
            "notify": request.notify,
        }
        changes = {name: value for name, value in given.items() if value is not UNSET}
        return await self._prefer(who, request.conversation, changes)

    async def _prefer(self, who: Identity, key: str, changes: dict[str, Any]) -> dict[str, Any]:
        def decide(scene: Scene) -> Change:
            member = rules.present(scene.members.get(who.user))
            merged = {**member.preferences, **changes}
            return Change(members=(replace(member, preferences=merged),))

        decided = await self._conversations.decide(who.app, key, [who.user], decide)
        kept = decided.members[who.user].preferences
        data = {"conversation": decided.conversation.id, **kept}
        await self._announcer.user(who.app, who.user, "conversation:preferred", data)
        return {"conversation": await self.view(who, decided.conversation.id)}

    async def _decided(self, who: Identity, key: str, decide: Any) -> dict[str, Any]:
        decided = await self._conversations.decide(who.app, key, [who.user], decide)
        await self._announcer.events(decided.conversation, decided.events)
        return {"conversation": await self.view(who, decided.conversation.id)}


def _entry(who: Identity, scene: Scene, fields: dict[str, Any], now: int) -> AuditEntry:
    return AuditEntry(
        app=who.app,
        at=now,
        actor=actor_of(who),
        action="conversation:updated",
        subject=scene.conversation.id,
        details=fields,
    )


def _page_token(after: str | None) -> int | None:
    if after is None:
        return None
    if not after.isascii() or not after.isdigit() or len(after) > 18:
        raise Refused("bad_request", "`after` is not the `next` of a page")
    return int(after)


def _updated(
    conversation: Conversation, request: UpdateConversation
) -> tuple[Conversation, dict[str, Any]]:
    """The conversation as asked for, and the fields that changed."""
    columns = {name: getattr(request, name) for name in ("title", "alias", "open")}
    settings = {name: getattr(request, name) for name in SETTINGS}
    fields = {
        name: value
        for name, value in columns.items()
        if value is not UNSET and value != getattr(conversation, name)
    }
    set_ = {
        name: value
        for name, value in settings.items()
        if value is not UNSET and value != conversation.settings.get(name)
    }
    changed = replace(conversation, **fields, settings={**conversation.settings, **set_})
    return changed, {**fields, **({"settings": set_} if set_ else {})}
