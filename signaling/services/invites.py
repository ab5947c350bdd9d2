"""Invitations: a secret link into a conversation."""

import secrets
from typing import Any

from signaling.audit.trail import actor_of
from signaling.errors import Refused
from signaling.model import AuditEntry, Conversation, Identity, Invite
from signaling.ports import Clock, Conversations, Invites
from signaling.protocol.conversations import (
    CreateInvite,
    JoinConversation,
    ListInvites,
    RevokeInvite,
)
from signaling.services import rules
from signaling.services.membership import MembershipService

SECRET_BYTES = 18
SHOWN_CHARS = 6


class InviteService:
    """Answers `invite:*`, and `conversation:join` with an invitation."""

    def __init__(
        self,
        invites: Invites,
        conversations: Conversations,
        membership: MembershipService,
        clock: Clock,
    ) -> None:
        self._invites = invites
        self._conversations = conversations
        self._membership = membership
        self._clock = clock

    async def create(self, who: Identity, request: CreateInvite) -> dict[str, Any]:
        """`invite:create`. Raises Refused: not_found, forbidden."""
        conversation = await self._managed(who, request.conversation)
        invite = Invite(
            id=secrets.token_urlsafe(SECRET_BYTES),
            app=who.app,
            conversation=conversation.id,
            role=request.role,
            created_by=who.user,
            created_at=self._clock(),
            expires_at=request.expires_at,
            max_uses=request.max_uses,
        )
        bounds = {name: getattr(invite, name) for name in ("role", "expires_at", "max_uses")}
        await self._invites.put(invite, self._entry(who, invite, "invite:created", **bounds))
        return {"invite": _view(invite)}

    async def revoke(self, who: Identity, request: RevokeInvite) -> dict[str, Any]:
        """`invite:revoke`. Raises Refused: not_found, forbidden."""
        invite = await self._invites.get(who.app, request.invite)
        if invite is None:
            raise Refused("not_found", "no such invitation")
        await self._managed(who, invite.conversation)
        await self._invites.remove(invite.id, self._entry(who, invite, "invite:revoked"))
        return {}

    async def list(self, who: Identity, request: ListInvites) -> dict[str, Any]:
        """`invite:list`. Raises Refused: not_found, forbidden."""
        conversation = await self._managed(who, request.conversation)
        found = await self._invites.of(conversation.id, self._clock())
        return {"invites": [_view(invite) for invite in found]}

    async def join(self, who: Identity, request: JoinConversation) -> dict[str, Any]:
        """`conversation:join`. Only who comes in uses an invitation: not a member, nor whom a full
        or archived conversation sends away.
        """
        if request.invite is None:
            return await self._membership.join(who, request)
        invite = await self._invites.get(who.app, request.invite)
        if invite is None or not invite.works(self._clock()):
            raise Refused("not_found", "this invitation does not work")
        return await self._membership.enter_invited(who, invite)

    def _entry(self, who: Identity, invite: Invite, action: str, **details: Any) -> AuditEntry:
        """Without the secret: its beginning tells invitations apart and lets nobody in."""
        known = {"invite": invite.id[:SHOWN_CHARS], "created_by": invite.created_by, **details}
        return AuditEntry(
            app=who.app,
            at=self._clock(),
            actor=actor_of(who),
            action=action,
            subject=invite.conversation,
            details=known,
        )

    async def _managed(self, who: Identity, key: str) -> Conversation:
        standing = await self._conversations.standing(who.app, key, who.user)
        if standing is None:
            raise Refused("not_found", "no such conversation")
        rules.may_manage(who, standing.conversation, standing.member)
        return standing.conversation


def _view(invite: Invite) -> dict[str, Any]:
    return {
        "id": invite.id,
        "conversation": invite.conversation,
        "role": invite.role,
        "created_by": invite.created_by,
        "created_at": invite.created_at,
        "expires_at": invite.expires_at,
        "max_uses": invite.max_uses,
        "uses": invite.uses,
    }
