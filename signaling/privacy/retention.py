"""Messages are kept as long as their app, or their conversation, says; their places stay for ever.

App setting `retention_days`: `{"direct": 30, "group": 365, …}`; a conversation's own setting
`retention_days` may only be shorter. What neither names is kept.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Protocol

import msgspec

from signaling.errors import Refused
from signaling.model import App, ConversationType
from signaling.ports import Clock

DAY_MS = 24 * 3600 * 1000
PAGE = 500
"""Conversations looked at in one round."""
EVENTS_AT_ONCE = 200
"""Blanked in one transaction."""
ROUND_EVENTS = 2_000
"""Blanked in one round: the next goes on."""
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


class Retention:
    """`round` is run every minute, on every Node; doing it twice does no harm."""

    def __init__(self, apps: AppsList, old: Old, clock: Clock) -> None:
        # passed in
        self._apps = apps
        self._old = old
        self._clock = clock
        # made here
        self._looked_at: dict[str, str] = {}
        """By app, the last Conversation looked at."""

    async def round(self) -> None:
        """One page of every app's Conversations."""
        left = ROUND_EVENTS
        for app in await self._apps.all():
            left -= await self._round(app, left)
            if left <= 0:
                return

    async def _round(self, app: App, budget: int) -> int:
        after = self._looked_at.get(app.id, "")
        page = await self._old.page(app.id, after, PAGE)
        done = await self._blank(self._cutoffs(app, page), budget)
        if done < budget:  # else the same page again
            self._looked_at[app.id] = page[-1].id if len(page) == PAGE else ""
        return done

    def _cutoffs(self, app: App, page: list[Kept]) -> dict[str, int]:
        now, by_type = self._clock(), app.settings.get(SETTING) or {}
        both = {kept.id: (by_type.get(kept.type), kept.settings.get(SETTING)) for kept in page}
        days = {name: min(filter(None, given), default=0) for name, given in both.items()}
        return {name: now - int(count * DAY_MS) for name, count in days.items() if count}

    async def _blank(self, cutoffs: Mapping[str, int], budget: int) -> int:
        done = 0
        for conversation in await self._old.overdue(cutoffs) if cutoffs else ():
            before, count = cutoffs[conversation], EVENTS_AT_ONCE
            while count == EVENTS_AT_ONCE and done < budget:
                count = await self._old.blank(conversation, before, EVENTS_AT_ONCE)
                done += count
        return done
