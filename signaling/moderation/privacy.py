"""Who may see a User's presence, and when they were last here."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec
from msgspec import UNSET

from signaling import topics
from signaling.model import Identity
from signaling.ports import Broker, Hint
from signaling.protocol.presence import PresencePrivacy
from signaling.protocol.settings import AppSettings, PresenceDefaults


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """What a User chose; None stands for what the app says."""

    presence: str | None = None
    last_seen: str | None = None


class PrivacyStore(Protocol):
    """Choices, kept."""

    async def put(self, app: str, user: str, chosen: Chosen) -> None:
        """Insert or replace."""

    async def of(self, app: str, users: Sequence[str]) -> Mapping[str, Chosen]:
        """Of those who chose."""

    async def forget(self, app: str, user: str) -> None: ...


class Sharing(Protocol):
    """Who talks with whom."""

    async def sharing(self, app: str, user: str, others: Sequence[str]) -> set[str]:
        """Those of `others` who have a conversation in common with `user`."""


class PrivacyService:
    """Answers `presence:privacy`, and presence asks it."""

    def __init__(
        self,
        store: PrivacyStore,
        sharing: Sharing,
        settings: Callable[[str], Awaitable[AppSettings]],
        broker: Broker,
    ) -> None:
        # passed in
        self._store = store
        self._sharing = sharing
        self._settings = settings
        self._broker = broker

    async def choose(self, who: Identity, request: PresencePrivacy) -> dict[str, Any]:
        """`presence:privacy`: what holds now. Who may not see any more is told `offline`."""
        old = (await self._store.of(who.app, [who.user])).get(who.user, Chosen())
        given = {"presence": request.status, "last_seen": request.last_seen}
        changes = {name: value for name, value in given.items() if value is not UNSET}
        chosen = msgspec.structs.replace(old, **changes)
        if chosen != old:
            await self._store.put(who.app, who.user, chosen)
            await self.changed(who.app, who.user)
        defaults = (await self._settings(who.app)).presence
        return {
            "status": chosen.presence or defaults.status,
            "last_seen": chosen.last_seen or defaults.last_seen,
        }

    async def changed(self, app: str, user: str) -> None:
        """Every node looks again at who watches this user."""
        hint = Hint(event="presence:private", data={})
        await self._broker.publish(topics.presence(app, user), hint)

    async def hidden(self, who: Identity, users: Sequence[str]) -> set[str]:
        """Those of `users` who are always offline to `who`."""
        defaults, chosen = await self._rules(who.app, users)
        visible = {user: chosen.get(user, Chosen()).presence or defaults.status for user in users}
        limited = [user for user in users if user != who.user and visible[user] != "everyone"]
        shared = [user for user in limited if visible[user] == "shared"]
        seen = await self._sharing.sharing(who.app, who.user, shared) if shared else set()
        return {user for user in limited if user not in seen}

    async def timeless(self, app: str, users: Sequence[str]) -> set[str]:
        """Those of `users` who do not say when they were last here."""
        defaults, chosen = await self._rules(app, users)
        return {
            user
            for user in users
            if (chosen.get(user, Chosen()).last_seen or defaults.last_seen) == "nobody"
        }

    async def _rules(
        self, app: str, users: Sequence[str]
    ) -> tuple[PresenceDefaults, Mapping[str, Chosen]]:
        return (await self._settings(app)).presence, await self._store.of(app, users)
