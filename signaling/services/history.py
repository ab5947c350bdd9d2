"""Reading the log as a member may see it: pages, and what a device missed."""

from typing import Any

from signaling.errors import Refused
from signaling.model import Identity
from signaling.ports import Clock, Conversations, Gap, Log, Missed
from signaling.protocol.conversations import ListConversations
from signaling.protocol.messages import GetHistory
from signaling.protocol.session import Sync
from signaling.services.conversations import ConversationService
from signaling.services.limits import Limits
from signaling.services.views import event_views, standing_view

SNAPSHOT = ListConversations(limit=100)


class HistoryService:
    """Answers `history:get` and `sync`, and fills `session:ready`."""

    def __init__(
        self,
        log: Log,
        conversations: Conversations,
        views: ConversationService,
        limits: Limits,
        clock: Clock,
    ) -> None:
        self._log = log
        self._conversations = conversations
        self._views = views
        self._limits = limits
        self._clock = clock

    async def get(self, who: Identity, request: GetHistory) -> dict[str, Any]:
        """`history:get`; without `before` and `after` the newest. Raises Refused not_found."""
        before = request.before
        if before is None and request.after is None:
            before = 2**62
        page = await self._log.history(
            who.app,
            request.conversation,
            who.user,
            after=request.after or 0,
            before=before,
            limit=min(request.limit, self._limits.page),
            thread=request.thread,
        )
        if page is None:
            raise Refused("not_found", "no such conversation")
        return {
            "conversation": page.conversation.id,
            "events": event_views(page.events, self._clock(), page.member.from_seq),
            "head": page.conversation.head,
        }

    async def sync(self, who: Identity, request: Sync) -> dict[str, Any]:
        """`sync`. Raises Refused bad_request for a cursor nobody was given."""
        position = parse_cursor(request.cursor) if request.cursor else None
        if position is None and not request.conversations:
            return await self._snapshot(who)
        # Without a cursor only the named conversations are compared.
        missed = await self._since(who, position, request.conversations)
        return self._sync_view(missed) if missed.known else await self._snapshot(who)

    async def ready(self, who: Identity, cursor: str | None) -> dict[str, Any]:
        """`{cursor, missed}` of `session:ready`, and what is unread in total. A cursor of another
        log gives the snapshot.
        """
        if cursor:
            missed = await self._since(who, parse_cursor(cursor), {})
            if missed.known:
                view = self._sync_view(missed)
                totals = await self._views.totals(who)
                return {**totals, "cursor": view["cursor"], "missed": view}
        snapshot = await self._snapshot(who)
        totals = {name: snapshot[name] for name in ("unread_total", "mentions_total")}
        return {**totals, "cursor": snapshot["cursor"], "missed": snapshot}

    async def _since(self, who: Identity, position: int | None, known: dict[str, int]) -> Missed:
        if position is None:
            _, position = await self._log.tail(-1, 0)
        return await self._log.since(who.app, who.user, position, known, self._limits.missed_events)

    async def _snapshot(self, who: Identity) -> dict[str, Any]:
        """The cursor is taken first: what comes meanwhile is repeated rather than lost."""
        _, position = await self._log.tail(-1, 0)
        return {**await self._views.list(who, SNAPSHOT), "cursor": cursor_of(position)}

    def _sync_view(self, missed: Missed) -> dict[str, Any]:
        now = self._clock()
        conversations = [_gap_view(gap, now) for gap in missed.gaps]
        return {"cursor": cursor_of(missed.position), "conversations": conversations}


def _gap_view(gap: Gap, now: int) -> dict[str, Any]:
    member, conversation = gap.standing.member, gap.standing.conversation
    events = event_views(gap.events, now, member.from_seq)
    if member.left_at is not None:
        # Who left sees that they left, and nothing of what came after.
        return {
            "id": conversation.id,
            "head": member.left_seq,
            "events": events,
            "limited": False,
            "left": True,
        }
    return {**standing_view(gap.standing, now), "events": events, "limited": gap.limited}


def cursor_of(position: int) -> str:
    """The opaque text of a position."""
    return f"p{position:x}"


def parse_cursor(cursor: str) -> int:
    """The position in a cursor. Raises Refused bad_request."""
    if not cursor.startswith("p") or len(cursor) > 16:
        raise Refused("bad_request", "this cursor was never given")
    try:
        return max(0, int(cursor[1:], 16))
    except ValueError:
        raise Refused("bad_request", "this cursor was never given") from None
