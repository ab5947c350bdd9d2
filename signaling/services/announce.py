"""Tell the connections about what the log has. Hints: whoever misses one reads the log."""

from collections.abc import Iterable
from typing import Any

from signaling import topics
from signaling.model import MEMBERSHIP, Conversation, Event
from signaling.ports import Broker, Hint
from signaling.services.views import conversation_view


class Announcer:
    """Publishes committed events, once on the conversation, and to whom they add or remove."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def events(self, conversation: Conversation, events: Iterable[Event]) -> None:
        """In order of seq. Someone who joins gets `about`: what they joined."""
        topic = topics.conversation(conversation.app, conversation.id)
        for event in events:
            data = event.to_wire()
            await self._broker.publish(topic, Hint(event=event.type, data=data))
            if event.type in MEMBERSHIP:
                about = conversation_view(conversation) if event.type == MEMBERSHIP[0] else None
                await self.user(
                    conversation.app, data["user"], event.type, {**data, "about": about}
                )

    async def user(self, app: str, user: str, event: str, data: dict[str, Any]) -> None:
        """To every device of one user."""
        await self._broker.publish(topics.user(app, user), Hint(event=event, data=data))
