"""Who is here: statuses of Users over all their Devices, told to those who watch."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Protocol

import msgspec

from signaling import topics
from signaling.bucket import Buckets
from signaling.errors import Refused
from signaling.model import Identity, Presence
from signaling.ports import Broker, Clock, Hint, PresenceManager
from signaling.protocol.presence import PresenceSet, PresenceUnwatch, PresenceWatch
from signaling.tasks import Tasks

log = logging.getLogger(__name__)

COALESCE_S = 0.2
"""Changes of one User within this time are told once."""
OFFLINE_AFTER_S = 2.0
"""A page that reloads is back before it is seen to be gone."""
TOUCH_S = 15.0
EXPIRE_S = 5.0
WATCHED_MAX = 1_000
"""Users one Connection may watch."""


class Listening(Protocol):
    """How a Connection comes to hear a topic."""

    async def listen(self, connection: str, topics: Iterable[str]) -> None:
        """From the return on it hears all."""

    async def unlisten(self, connection: str, topics: Iterable[str]) -> None:
        """It hears no more."""


class Blocks(Protocol):
    """Who does not want to be seen by whom."""

    async def blocking(self, app: str, users: Sequence[str], other: str) -> list[str]:
        """Those of `users` who block `other`."""


class Privacy(Protocol):
    """What users keep to themselves."""

    async def hidden(self, who: Identity, users: Sequence[str]) -> set[str]:
        """Those who are always offline to `who`."""

    async def timeless(self, app: str, users: Sequence[str]) -> set[str]:
        """Those who do not say when they were last here."""


class Open:
    """Nobody hides anything."""

    async def hidden(self, who: Identity, users: Sequence[str]) -> set[str]:
        """None."""
        return set()

    async def timeless(self, app: str, users: Sequence[str]) -> set[str]:
        """None."""
        return set()


class PresenceService:
    """Answers `presence:*` and follows Connections."""

    def __init__(
        self,
        manager: PresenceManager,
        broker: Broker,
        listening: Listening,
        blocks: Blocks,
        clock: Clock,
        tasks: Tasks,
    ) -> None:
        # passed in
        self._manager = manager
        self._broker = broker
        self._listening = listening
        self._blocks = blocks
        self._clock = clock
        self._tasks = tasks
        # filled at composition
        self.privacy: Privacy = Open()
        # made here
        self._here: dict[str, tuple[Identity, str, str | None]] = {}
        self._watched: dict[str, set[str]] = {}
        self._pending: set[tuple[str, str]] = set()
        self._rates = Buckets(per_second=1, burst=10)
        self.on_change: list[Callable[[str, Presence], Awaitable[None]]] = []
        """Also told what others see of a user: (app, presence)."""

    def start(self) -> None:
        """Keep this node's Connections alive and notice those that ran out elsewhere."""
        self._tasks.every(TOUCH_S, self._touch, "touch presence")
        self._tasks.every(EXPIRE_S, self._expire, "expire presence")

    async def opened(self, who: Identity) -> None:
        """A Connection makes its User online unless they said otherwise."""
        self._here[who.connection] = (who, "", None)
        await self._put(who, "", None)

    async def closed(self, who: Identity, reason: str) -> None:
        """Offline when it was the last one, a little later."""
        self._here.pop(who.connection, None)
        self._watched.pop(who.connection, None)
        self._rates.forget(who.connection)
        try:
            if await self._manager.remove(who.app, who.user, who.connection):
                self._changed(who.app, who.user, OFFLINE_AFTER_S)
        except Refused as error:
            log.warning("presence is away: %s", error.message)

    async def put(self, who: Identity, request: PresenceSet) -> dict[str, Any]:
        """`presence:set`. Raises Refused rate_limited."""
        self._rates.take(who.connection, self._clock())
        text = request.text
        self._here[who.connection] = (who, request.status, text)
        if await self._manager.put(
            who.app, who.user, who.device, who.connection, request.status, text
        ):
            self._changed(who.app, who.user, COALESCE_S)
        return {}

    async def watch(self, who: Identity, request: PresenceWatch) -> dict[str, Any]:
        """`presence:watch`: `{users: [{user, status, text, last_seen, devices}]}`."""
        watched = self._watched.setdefault(who.connection, set())
        users = list(dict.fromkeys(request.users))
        if len(watched.union(users)) > WATCHED_MAX:
            raise Refused("too_large", f"a connection watches at most {WATCHED_MAX} users")
        hidden = await self._hidden(who, users)
        shown = [user for user in users if user not in hidden]
        watched.update(shown)
        names = [topics.presence(who.app, user) for user in shown]
        await self._listening.listen(who.connection, names)
        found = await self._decent(who.app, await self._manager.get(who.app, shown))
        seen = {one.user: one for one in found}
        offline = {user: Presence(user=user, status="offline") for user in hidden}
        return {"users": [msgspec.to_builtins((seen | offline)[user]) for user in users]}

    async def unwatch(self, who: Identity, request: PresenceUnwatch) -> dict[str, Any]:
        """`presence:unwatch`."""
        self._watched.get(who.connection, set()).difference_update(request.users)
        names = [topics.presence(who.app, user) for user in request.users]
        await self._listening.unlisten(who.connection, names)
        return {}

    async def _decent(self, app: str, found: Sequence[Presence]) -> list[Presence]:
        """Without what those users keep to themselves."""
        timed = [one.user for one in found if one.last_seen is not None]
        timeless = await self.privacy.timeless(app, timed) if timed else ()
        return [
            msgspec.structs.replace(one, last_seen=None) if one.user in timeless else one
            for one in found
        ]

    def reconsider(self, app: str, user: str, data: dict[str, Any]) -> None:
        """A user shows less, or blocks somebody: those here who may not see them hear no more."""
        self._tasks.spawn(self._reconsider(app, user), "presence privacy")

    async def _reconsider(self, app: str, user: str) -> None:
        for connection, users in list(self._watched.items()):
            here = self._here.get(connection)
            if user not in users or here is None or here[0].app != app:
                continue
            who = here[0]
            if user in await self._hidden(who, [user]):
                users.discard(user)
                await self._listening.unlisten(connection, [topics.presence(app, user)])
                gone = msgspec.to_builtins(Presence(user=user, status="offline"))
                hint = msgspec.structs.replace(_changed(user, gone), device=who.device)
                await self._broker.publish(topics.user(app, who.user), hint)
        self._changed(app, user, 0)

    async def _hidden(self, who: Identity, users: list[str]) -> set[str]:
        """Those who block the one who asks: they are always offline to them."""
        others = [user for user in users if user != who.user]
        blocking = await self._blocks.blocking(who.app, others, who.user)
        return {*blocking, *await self.privacy.hidden(who, others)}

    def recover(self) -> None:
        """The manager may have forgotten everything: say it all again."""
        self._tasks.spawn(self._say_again(), "presence after a gap")

    async def _say_again(self) -> None:
        for connection in list(self._here):
            if (known := self._here.get(connection)) is not None:  # who closed meanwhile stays gone
                await self._put(*known)

    async def _put(self, who: Identity, status: str, text: str | None) -> None:
        """A manager that is away keeps nobody from connecting; `recover` makes up for it."""
        try:
            changed = await self._manager.put(
                who.app, who.user, who.device, who.connection, status, text
            )
        except Refused as error:
            log.warning("presence is away: %s", error.message)
            return
        if changed:
            self._changed(who.app, who.user, COALESCE_S)

    def _changed(self, app: str, user: str, after_s: float) -> None:
        if (app, user) not in self._pending:
            self._pending.add((app, user))
            self._tasks.spawn(self._tell(app, user, after_s), "tell presence")

    async def _tell(self, app: str, user: str, after_s: float) -> None:
        """Publish what holds now."""
        await asyncio.sleep(after_s)
        self._pending.discard((app, user))
        try:
            (now,) = await self._manager.get(app, [user])
        except Refused as error:
            log.warning("presence is away: %s", error.message)
            return
        (decent,) = await self._decent(app, [now])
        data = msgspec.to_builtins(decent)
        await self._broker.publish(topics.presence(app, user), _changed(user, data))
        for told in self.on_change:
            await told(app, now)

    async def _touch(self) -> None:
        entries = [(who.app, who.user, who.connection) for who, _, _ in self._here.values()]
        await self._manager.touch(entries)

    async def _expire(self) -> None:
        for app, user in await self._manager.expire():
            self._changed(app, user, 0)


def _changed(user: str, data: dict[str, Any]) -> Hint:
    """How somebody is now: of no interest once they are otherwise."""
    return Hint(event="presence:changed", data=data, latest=f"presence {user}")
