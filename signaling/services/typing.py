"""Who is writing, where: coalesced, and ending by itself."""

from dataclasses import dataclass
from typing import Any, Protocol

from signaling import topics
from signaling.bucket import Buckets
from signaling.errors import Refused
from signaling.model import Conversation, Identity, Member
from signaling.ports import Broker, Clock, Hint
from signaling.protocol.presence import TypingSet
from signaling.services import rules
from signaling.tasks import Tasks

AGAIN_MS = 3_000
"""While it goes on it is told at most this often."""
EXPIRES_MS = 6_000
MEMBERS_MAX = 100
"""Above it nobody hears who is writing: in a hall somebody always is."""
SWEEP_S = 1.0


class Members(Protocol):
    """Who may write where."""

    async def get(self, app: str, conversation: str) -> Conversation | None:
        """By id or alias."""

    async def member(self, conversation: str, user: str) -> Member | None:
        """One who has not left."""


@dataclass(slots=True)
class _Typist:
    connection: str
    told_ms: int
    expires_ms: int


class TypingService:
    """Answers `typing:set`."""

    def __init__(self, members: Members, broker: Broker, clock: Clock, tasks: Tasks) -> None:
        # passed in
        self._members = members
        self._broker = broker
        self._clock = clock
        self._tasks = tasks
        # made here
        self._typists: dict[tuple[str, str, str], _Typist] = {}
        self._rates = Buckets(per_second=2, burst=10)

    def start(self) -> None:
        """End what was not renewed."""
        self._tasks.every(SWEEP_S, self._sweep, "sweep typing")

    async def put(self, who: Identity, request: TypingSet) -> dict[str, Any]:
        """`typing:set`. Raises Refused: not_found, forbidden to who may not write, rate_limited."""
        now = self._clock()
        self._rates.take(who.connection, now)
        key = (who.app, request.conversation, who.user)
        typist = self._typists.get(key)
        if not request.on:
            if typist is not None:
                await self._end(key, typist)
            return {}
        if typist is None or now - typist.told_ms >= AGAIN_MS:
            if not await self._is_told(who, request.conversation, now):
                return {}
            typist = self._typists.setdefault(key, _Typist(who.connection, 0, 0))
        typist.connection, typist.expires_ms = who.connection, now + EXPIRES_MS
        if now - typist.told_ms >= AGAIN_MS:
            typist.told_ms = now
            await self._tell(key, on=True, exclude=who.connection)
        return {}

    async def opened(self, who: Identity) -> None:
        """Nothing to do."""

    async def closed(self, who: Identity, reason: str) -> None:
        """Who is gone types no more."""
        self._rates.forget(who.connection)
        for key, typist in list(self._typists.items()):
            if typist.connection == who.connection:
                await self._end(key, typist)

    async def _is_told(self, who: Identity, conversation: str, now: int) -> bool:
        """Looked at each time it is told: who is muted meanwhile falls silent. Raises Refused."""
        found = await self._members.get(who.app, conversation)
        if found is None or found.id != conversation:
            raise Refused("not_found", "no such conversation")
        member = await self._members.member(conversation, who.user)
        rules.may_edit(who, now)(found, member)
        return found.member_count <= MEMBERS_MAX

    async def _sweep(self) -> None:
        now = self._clock()
        for key, typist in list(self._typists.items()):
            if typist.expires_ms <= now:
                await self._end(key, typist)

    async def _end(self, key: tuple[str, str, str], typist: _Typist) -> None:
        """Unless they have ended meanwhile, and perhaps begun anew."""
        if self._typists.get(key) is typist:
            del self._typists[key]
            await self._tell(key, on=False, exclude=typist.connection)

    async def _tell(self, key: tuple[str, str, str], *, on: bool, exclude: str) -> None:
        app, conversation, user = key
        data = {"conversation": conversation, "user": user, "on": on}
        hint = Hint(event="typing:changed", data=data, volatile=True, exclude=exclude)
        await self._broker.publish(topics.conversation(app, conversation), hint)
