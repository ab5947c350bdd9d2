"""Finding messages by what they say, among one's own."""

from typing import Any

from signaling.errors import Refused
from signaling.model import Identity
from signaling.ports import Clock, Conversations, Search
from signaling.protocol.messages import SearchMessages
from signaling.services.history import cursor_of, parse_cursor
from signaling.services.views import event_views

END = 2**62


class SearchService:
    """Answers `message:search`."""

    def __init__(self, search: Search, conversations: Conversations, clock: Clock) -> None:
        self._search = search
        self._conversations = conversations
        self._clock = clock

    async def find(self, who: Identity, request: SearchMessages) -> dict[str, Any]:
        """`message:search`, newest first; what was acked before is found. Raises Refused."""
        query = request.query.strip()
        if not query:
            raise Refused("bad_request", "nothing to search for")
        conversation = await self._conversation(who, request.conversation)
        before = parse_cursor(request.before) if request.before else END
        await self._search.index()
        events, position = await self._search.find(
            who.app, who.user, query, conversation, before, request.limit
        )
        return {
            "events": event_views(events, self._clock()),
            "next": None if position is None else cursor_of(position),
        }

    async def _conversation(self, who: Identity, key: str | None) -> str | None:
        if key is None:
            return None
        standing = await self._conversations.standing(who.app, key, who.user)
        if standing is None:
            raise Refused("not_found", "no such conversation")
        return standing.conversation.id
