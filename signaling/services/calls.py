"""Calls as clients ask for them: who may ring whom, and which node holds the call."""

from typing import Any, Literal, Protocol

import msgspec

from signaling.errors import Refused
from signaling.model import Conversation, Identity, Member
from signaling.ports import Broker, LiveCalls
from signaling.protocol.calls import CallAct, CallInvite, ListCalls
from signaling.services import rules
from signaling.services.call_host import CallHost
from signaling.services.history import cursor_of, parse_cursor

RINGS_MAX = 100
"""Members a call may ring."""
REQUEST_TIMEOUT_S = 5.0
TRIES = 2
"""Another call may begin, or the one to join end, while an invitation is on its way."""
END = 2**62


class Members(Protocol):
    """Conversations and who is in them."""

    async def get(self, app: str, conversation: str) -> Conversation | None:
        """By id or alias."""

    async def member(self, conversation: str, user: str) -> Member | None:
        """One who has not left."""

    async def members(self, conversation: str, after: str = "", limit: int = 100) -> list[Member]:
        """Those who have not left, ordered by user."""


class Blocks(Protocol):
    """Who does not want to hear from whom."""

    async def blocked(self, app: str, by: str, user: str) -> bool:
        """Whether `by` blocks `user`."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What one node asks the holder of a call."""

    verb: Literal["invite", "accept", "decline", "busy", "cancel", "hangup"]
    who: Identity
    call: str = ""
    conversation: str = ""
    media: str = ""
    client_id: str = ""
    others: list[str] = []


class Calls:
    """Answers `call:*`."""

    def __init__(
        self,
        *,
        node: str,
        host: CallHost,
        members: Members,
        blocks: Blocks,
        store: LiveCalls,
        broker: Broker,
    ) -> None:
        # passed in
        self._node = node
        self._host = host
        self._members = members
        self._blocks = blocks
        self._store = store
        self._broker = broker

    async def past(self, who: Identity, request: ListCalls) -> dict[str, Any]:
        """`call:list`: `{calls, next}`, newest first; those of one's conversations that ended."""
        before = parse_cursor(request.before) if request.before else END
        events, position = await self._store.ended(who.app, who.user, before, request.limit)
        return {
            "calls": [event.data["call"] for event in events],
            "next": None if position is None else cursor_of(position),
        }

    async def invite(self, who: Identity, request: CallInvite) -> dict[str, Any]:
        """`call:invite`: `{call}`; joins the one that goes on. Raises Refused: not_found,
        forbidden, too_large.
        """
        conversation = await self._conversation(who, request.conversation)
        for tries_left in reversed(range(TRIES)):
            try:
                return await self._invite(who, conversation, request)
            except Refused as error:
                if error.code != "unavailable" or not tries_left:
                    raise
        raise AssertionError("the last try answers or raises")

    async def _invite(
        self, who: Identity, conversation: Conversation, request: CallInvite
    ) -> dict[str, Any]:
        going = await self._store.going(conversation.id)
        others = [] if going else await self._others(who, conversation)
        asked = Asked(
            verb="invite",
            who=who,
            conversation=conversation.id,
            media=request.media,
            client_id=request.client_id,
            others=others,
        )
        return await self._ask(going.node if going else self._node, asked)

    async def accept(self, who: Identity, request: CallAct) -> dict[str, Any]:
        """`call:accept`: this Device takes it, the User's others stop ringing."""
        return await self._act(who, "accept", request)

    async def decline(self, who: Identity, request: CallAct) -> dict[str, Any]:
        """`call:decline`; with reason `busy` the caller learns that."""
        return await self._act(who, "busy" if request.reason == "busy" else "decline", request)

    async def cancel(self, who: Identity, request: CallAct) -> dict[str, Any]:
        """`call:cancel`."""
        return await self._act(who, "cancel", request)

    async def hangup(self, who: Identity, request: CallAct) -> dict[str, Any]:
        """`call:hangup`."""
        return await self._act(who, "hangup", request)

    async def _conversation(self, who: Identity, name: str) -> Conversation:
        conversation = await self._members.get(who.app, name)
        member = conversation and await self._members.member(conversation.id, who.user)
        if conversation is None or member is None:
            raise Refused("not_found", "no such conversation")
        if conversation.type == "channel":
            raise Refused("unsupported", "a channel has no calls")
        return conversation

    async def _others(self, who: Identity, conversation: Conversation) -> list[str]:
        """Whom a new call rings. Raises Refused."""
        if conversation.archived_at is not None:
            raise Refused("forbidden", "the conversation is archived")
        members = await self._members.members(conversation.id, limit=RINGS_MAX + 1)
        if len(members) > RINGS_MAX:
            raise Refused("too_large", f"a call rings at most {RINGS_MAX} members")
        for member in members:
            if member.user == who.user:
                rules.no_guest(who, member)
        others = [member.user for member in members if member.user != who.user]
        if not others:
            raise Refused("conflict", "there is nobody to ring")
        if conversation.type == "direct" and await self._apart(who, others[0]):
            raise Refused("forbidden", "this user cannot be called")
        return others

    async def _apart(self, who: Identity, other: str) -> bool:
        return await self._blocks.blocked(who.app, other, who.user) or await self._blocks.blocked(
            who.app, who.user, other
        )

    async def _act(
        self,
        who: Identity,
        verb: Literal["accept", "decline", "busy", "cancel", "hangup"],
        request: CallAct,
    ) -> dict[str, Any]:
        conversation = request.call.partition(".")[2]
        if verb == "accept":
            await self._conversation(who, conversation)
        going = await self._store.going(conversation)
        if going is None or (going.app, going.id) != (who.app, request.call):
            raise Refused("not_found", "no such call, or it is over")
        return await self._ask(going.node, Asked(verb=verb, who=who, call=request.call))

    async def _ask(self, holder: str, asked: Asked) -> dict[str, Any]:
        if holder == self._node:
            return await self._answer(asked)
        body = msgspec.to_builtins(asked)
        return await self._broker.request(holder, "calls", body, REQUEST_TIMEOUT_S)

    async def asked(self, body: dict[str, Any]) -> dict[str, Any]:
        """Another node asks. Raises Refused."""
        return await self._answer(msgspec.convert(body, Asked))

    async def _answer(self, asked: Asked) -> dict[str, Any]:
        host, who = self._host, asked.who
        match asked.verb:
            case "invite":
                call = await host.invite(
                    who, asked.conversation, asked.media, asked.client_id, asked.others
                )
            case "cancel":
                call = await host.cancel(who, asked.call)
            case "hangup":
                call = await host.hangup(who.app, asked.call, who.user, who.device)
            case "accept" | "decline" | "busy":
                call = await host.act(who, asked.call, asked.verb)
        return {"call": call.to_wire()}
