"""Receipts: watermarks that only move forward, told to those who should know."""

from typing import Any

from signaling import topics
from signaling.errors import Refused
from signaling.model import Identity, Moved
from signaling.ports import Broker, Conversations, Hint
from signaling.protocol.receipts import GetReceipts, Receipt
from signaling.services.limits import Limits
from signaling.services.views import member_view


class ReceiptService:
    """Answers `receipt:delivered`, `receipt:read` and `receipt:get`."""

    def __init__(self, conversations: Conversations, broker: Broker, limits: Limits) -> None:
        self._conversations = conversations
        self._broker = broker
        self._limits = limits

    async def delivered(self, who: Identity, request: Receipt) -> dict[str, Any]:
        """`receipt:delivered`. Raises Refused not_found."""
        return await self._advance(who, request.conversation, delivered=request.seq)

    async def read(self, who: Identity, request: Receipt) -> dict[str, Any]:
        """`receipt:read`; what is read has been delivered. Raises Refused not_found."""
        return await self._advance(who, request.conversation, read=request.seq)

    async def get(self, who: Identity, request: GetReceipts) -> dict[str, Any]:
        """`receipt:get`: counts, the sender among them; who it is, in small conversations."""
        standing = await self._conversations.standing(who.app, request.conversation, who.user)
        if standing is None or request.seq > standing.conversation.head:
            raise Refused("not_found", "no such message")
        name = standing.conversation.id
        delivered, read = await self._conversations.receipts(name, request.seq)
        answer: dict[str, Any] = {
            "delivered_count": delivered,
            "read_count": read,
            "member_count": standing.conversation.member_count,
        }
        if standing.conversation.member_count <= self._limits.detailed_receipts:
            found = await self._conversations.members(name, "", self._limits.detailed_receipts)
            answer["members"] = [member_view(member) for member in found]
        return answer

    async def _advance(
        self, who: Identity, conversation: str, *, delivered: int = 0, read: int = 0
    ) -> dict[str, Any]:
        moved = await self._conversations.advance(
            who.app, conversation, who.user, delivered=delivered, read=read
        )
        if moved is None:
            return await self._unmoved(who, conversation, delivered, read)
        await self._tell(who, moved)
        return {"delivered": moved.member.delivered, "read": moved.member.read}

    async def _unmoved(
        self, who: Identity, conversation: str, delivered: int, read: int
    ) -> dict[str, Any]:
        """Nothing moved: an old watermark, an alias, or not a member."""
        standing = await self._conversations.standing(who.app, conversation, who.user)
        if standing is None:
            raise Refused("not_found", "no such conversation")
        if standing.conversation.id != conversation:
            return await self._advance(
                who, standing.conversation.id, delivered=delivered, read=read
            )
        return {"delivered": standing.member.delivered, "read": standing.member.read}

    async def _tell(self, who: Identity, moved: Moved) -> None:
        """Everyone in a small conversation; in a large one only the user's other devices."""
        member = moved.member
        data = {
            "conversation": member.conversation,
            "user": member.user,
            "delivered": member.delivered,
            "read": member.read,
        }
        small = moved.member_count <= self._limits.detailed_receipts
        topic = (
            topics.conversation(who.app, member.conversation)
            if small
            else topics.user(who.app, who.user)
        )
        await self._broker.publish(topic, Hint(event="receipt:updated", data=data))
