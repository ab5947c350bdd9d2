"""Calls as clients ask for them: who may ring whom, and which node holds the call."""

import asyncio
import logging
from typing import Any, Literal, Protocol

import msgspec

from signaling.errors import Refused
from signaling.model import Conversation, Identity, Member, Presence
from signaling.ports import Broker, NodeRegistry
from signaling.protocol.calls import CallAct, CallInvite
from signaling.services.call_host import CallHost
from signaling.tasks import Tasks

log = logging.getLogger(__name__)

RINGS_MAX = 100
"""Members a call may ring."""
CLAIM_S = 3.0
ABSENT_S = 12.0
"""A Device without a Connection for so long has hung up."""
REQUEST_TIMEOUT_S = 5.0


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


class Present(Protocol):
    """Who is connected, on any node."""

    async def get(self, app: str, users: list[str]) -> list[Presence]:
        """One for each."""


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
        presence: Present,
        broker: Broker,
        registry: NodeRegistry,
        tasks: Tasks,
        absent_s: float = ABSENT_S,
    ) -> None:
        # passed in
        self._node = node
        self._host = host
        self._members = members
        self._blocks = blocks
        self._presence = presence
        self._broker = broker
        self._registry = registry
        self._tasks = tasks
        self._absent_s = absent_s
        # made here
        self._devices: dict[tuple[str, str, str], set[str]] = {}
        self._mine: dict[tuple[str, str, str], set[str]] = {}
        """Calls by (app, user, device) that is in them through this node."""

    def start(self) -> None:
        """Keep the claims of calls held here."""
        self._tasks.every(CLAIM_S, self._renew, "claim calls")

    async def _renew(self) -> None:
        for key in list(self._host.calls):
            await self._registry.claim(f"call/{key}", self._node)

    async def invite(self, who: Identity, request: CallInvite) -> dict[str, Any]:
        """`call:invite`: `{call}`. Raises Refused: not_found, forbidden, too_large."""
        conversation = await self._conversation(who, request.conversation)
        others = await self._others(who, conversation)
        asked = Asked(
            verb="invite",
            who=who,
            conversation=conversation.id,
            media=request.media,
            client_id=request.client_id,
            others=others,
        )
        return await self._ask(conversation.id, asked)

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
        members = await self._members.members(conversation.id, limit=RINGS_MAX + 1)
        if len(members) > RINGS_MAX:
            raise Refused("too_large", f"a call rings at most {RINGS_MAX} members")
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
        return await self._ask(conversation, Asked(verb=verb, who=who, call=request.call))

    async def _ask(self, conversation: str, asked: Asked) -> dict[str, Any]:
        key = f"call/{asked.who.app}/{conversation}"
        holder = await self._registry.claim(key, self._node)
        if holder == self._node:
            answer = await self._answer(asked)
        else:
            body = msgspec.to_builtins(asked)
            answer = await self._broker.request(holder, "calls", body, REQUEST_TIMEOUT_S)
        self._note(asked.who, answer["call"])
        return answer

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
                call = await host.hangup(who, asked.call)
            case "accept" | "decline" | "busy":
                call = await host.act(who, asked.call, asked.verb)
        return {"call": call.to_wire()}

    def _note(self, who: Identity, call: dict[str, Any]) -> None:
        """Remember which calls this Device is in, to hang up for it when it vanishes."""
        device = (who.app, who.user, who.device)
        mine = any(
            party["user"] == who.user
            and party["state"] == "accepted"
            and party["device"] == who.device
            for party in call["participants"]
        )
        calls = self._mine.setdefault(device, set())
        if mine and call["state"] != "ended":
            calls.add(call["id"])
        else:
            calls.discard(call["id"])
        if not calls:
            del self._mine[device]

    async def opened(self, who: Identity) -> None:
        """A Device is here (again)."""
        self._devices.setdefault((who.app, who.user, who.device), set()).add(who.connection)

    async def closed(self, who: Identity, reason: str) -> None:
        """A Device that does not come back hangs up."""
        device = (who.app, who.user, who.device)
        connections = self._devices.get(device, set())
        connections.discard(who.connection)
        if not connections:
            self._devices.pop(device, None)
            if device in self._mine:
                self._tasks.spawn(self._absent(who), f"absent {who.device}")

    async def _absent(self, who: Identity) -> None:
        await asyncio.sleep(self._absent_s)
        device = (who.app, who.user, who.device)
        if device in self._devices:
            return
        (presence,) = await self._presence.get(who.app, [who.user])
        if presence.devices and len(self._nodes_seen(await self._registry.nodes())) > 1:
            return  # it may be on another node now
        for call in list(self._mine.get(device, ())):
            try:
                await self._act(who, "hangup", CallAct(call=call))
            except Refused as error:
                log.info("%s of %s: %s", call, who.user, error.message)
        self._mine.pop(device, None)

    def _nodes_seen(self, nodes: dict[str, dict[str, str]]) -> set[str]:
        return {self._node, *nodes}

    def stats(self) -> dict[str, float]:
        """Counters for the metrics."""
        return {"held": len(self._host.calls)}
