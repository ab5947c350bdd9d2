"""Presence for webhooks: changes as they happen, and what a crash kept from being told."""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from signaling.model import Presence
from signaling.outbox.news import News
from signaling.ports import Clock

TYPE = "presence:changed"
PAGE = 200


class PresenceTold(Protocol):
    """What was told last of whom."""

    async def presence(self, app: str, now: Presence, item: News) -> None:
        """Put the news unless they are what was told last."""

    async def present(self, after: tuple[str, str], limit: int) -> list[tuple[str, str]]:
        """(app, user) of who was told to be here, in order."""


class Present(Protocol):
    """See ports.PresenceManager."""

    async def get(self, app: str, users: Sequence[str]) -> list[Presence]:
        """One for each."""


class PresenceNews:
    """Tells what is so. A node that dies says nothing: `look_again` finds who is gone since."""

    def __init__(
        self,
        told: PresenceTold,
        present: Present,
        wanted: Callable[[str, str], bool],
        clock: Clock,
    ) -> None:
        # passed in
        self._told = told
        self._present = present
        self._wanted = wanted
        self._clock = clock

    async def changed(self, app: str, now: Presence) -> None:
        """A user is seen otherwise than before."""
        if not self._wanted(app, TYPE):
            return
        data = {**msgspec.to_builtins(now), "at": self._clock()}
        line = f"presence:{now.user}"
        news = News(app=app, type=TYPE, line=line, subject=now.user, data=data)
        await self._told.presence(app, now, news)

    async def look_again(self) -> None:
        """Compare who was told to be here with who is."""
        after = ("", "")
        while page := await self._told.present(after, PAGE):
            for app in dict.fromkeys(app for app, _ in page):
                users = [user for of, user in page if of == app]
                for now in await self._present.get(app, users):
                    await self.changed(app, now)
            after = page[-1]
