"""Messages are kept as long as their app, or their conversation, says; their places stay for ever.

App setting `retention_days`: `{"direct": 30, "group": 365, …}`; a conversation's own setting
`retention_days` may only be shorter. What neither names is kept.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Protocol

import msgspec

from signaling.errors import Refused
from signaling.model import App, ConversationType
from signaling.ports import Clock

DAY_MS = 24 * 3600 * 1000
PERIOD_S = 60.0
ROUND_S = 20.0
"""One round's time; the next goes on."""
RESTS = 9
"""Looking takes a tenth of the time: an app whose conversations took long to look through rests
for so many times as long, which the pause between rounds is part of."""
PAGE = 500
"""Conversations looked at in one turn."""
EVENTS_AT_ONCE = 200
"""Blanked in one transaction, which is one turn."""
SETTING = "retention_days"


RetentionDays = dict[ConversationType, Annotated[float, msgspec.Meta(gt=0, le=36_500)]]


def check_retention(value: Any) -> None:
    """Raises Refused bad_request for what is no `retention_days`."""
    try:
        msgspec.convert(value, RetentionDays)
    except msgspec.ValidationError as error:
        raise Refused("bad_request", f"retention_days: {error}") from error


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A Conversation, as far as its age matters."""

    id: str
    type: ConversationType
    settings: dict[str, Any]


class Old(Protocol):
    """Finds and blanks what is too old."""

    async def page(self, app: str, after: str, limit: int) -> list[Kept]:
        """Ordered by id, ids above `after`."""

    async def overdue(self, cutoffs: Mapping[str, int]) -> list[str]:
        """Of these Conversations, those with a message from before their time (UTC ms)."""

    async def blank(self, conversation: str, before: int, limit: int) -> int:
        """Empty the oldest messages from before a time; how many events were looked at."""


class AppsList(Protocol):
    """Every tenant."""

    async def all(self) -> list[App]: ...


class Turn:
    """Where an App's Conversations are being looked through."""

    def __init__(self) -> None:
        self.after = ""
        """The last Conversation looked at; empty at the start."""
        self.overdue: list[tuple[str, int]] = []
        """Conversations with something too old, and the time before which it is."""
        self.looked_s = 0.0
        self.rest_until_s = 0.0

    def done(self, now_s: float) -> None:
        """All of the App's Conversations have been looked at."""
        self.rest_until_s = now_s + max(0.0, RESTS * self.looked_s - PERIOD_S)
        self.looked_s = 0.0


class Retention:
    """`round` is run every minute, on every Node; doing it twice does no harm."""

    def __init__(
        self,
        apps: AppsList,
        old: Old,
        clock: Clock,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        # passed in
        self._apps = apps
        self._old = old
        self._clock = clock
        self._monotonic_s = monotonic_s
        # made here
        self._turns: dict[str, Turn] = {}
        """By app; who had a turn last is last."""

    async def round(self) -> None:
        """Apps take turns, a short transaction each, until all are done or the time is over."""
        now_s = self._monotonic_s()
        until_s = now_s + ROUND_S
        apps = {app.id: app for app in await self._apps.all()}
        self._turns = {name: turn for name, turn in self._turns.items() if name in apps}
        self._turns |= {name: Turn() for name in apps if name not in self._turns}
        line = deque(name for name, turn in self._turns.items() if turn.rest_until_s <= now_s)
        while line and self._monotonic_s() < until_s:
            name = line.popleft()
            turn = self._turns[name] = self._turns.pop(name)
            if await self._step(apps[name], turn):
                line.append(name)
            else:
                turn.done(self._monotonic_s())

    async def _step(self, app: App, turn: Turn) -> bool:
        """One turn; False when the app's Conversations have all been looked at."""
        if turn.overdue:
            conversation, before = turn.overdue[0]
            if await self._old.blank(conversation, before, EVENTS_AT_ONCE) < EVENTS_AT_ONCE:
                turn.overdue.pop(0)
        else:
            await self._look(app, turn)
        return bool(turn.overdue or turn.after)

    async def _look(self, app: App, turn: Turn) -> None:
        began_s = self._monotonic_s()
        page = await self._old.page(app.id, turn.after, PAGE)
        turn.after = page[-1].id if len(page) == PAGE else ""
        cutoffs = self._cutoffs(app, page)
        overdue = await self._old.overdue(cutoffs) if cutoffs else ()
        turn.overdue = [(name, cutoffs[name]) for name in overdue]
        turn.looked_s += self._monotonic_s() - began_s

    def _cutoffs(self, app: App, page: list[Kept]) -> dict[str, int]:
        now, by_type = self._clock(), app.settings.get(SETTING) or {}
        both = {kept.id: (by_type.get(kept.type), kept.settings.get(SETTING)) for kept in page}
        days = {name: min(filter(None, given), default=0) for name, given in both.items()}
        return {name: now - int(count * DAY_MS) for name, count in days.items() if count}
