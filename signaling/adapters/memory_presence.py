"""The PresenceManager within one process; share one object between nodes.

Memory holds the Users that have Connections; what outlives those is in a PresenceStore.
"""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from signaling.adapters.presence_store import NotKept, PresenceStore
from signaling.adapters.presence_view import OFFLINE_MODES, Kept, differs, next_mode, view
from signaling.errors import Refused
from signaling.model import Presence

log = logging.getLogger(__name__)

TTL_MS = 60_000


def _utc_ms() -> int:
    return int(time.time() * 1000)


@dataclass(slots=True)
class _Entry:
    device: str
    away: bool
    expires_ms: int


@dataclass(slots=True)
class _User:
    mode: str = "online"
    text: str | None = None
    last_seen: int | None = None
    connections: dict[str, _Entry] = field(default_factory=dict)

    @classmethod
    def of(cls, kept: Kept) -> "_User":
        return cls(kept.mode, kept.text, kept.last_seen)

    def kept(self) -> Kept:
        return Kept(mode=self.mode, text=self.text, last_seen=self.last_seen)


class MemoryPresence:
    """Users with at least one Connection, and what the others said last."""

    def __init__(
        self,
        ttl_ms: int = TTL_MS,
        now_ms: Callable[[], int] = _utc_ms,
        store: PresenceStore | None = None,
    ) -> None:
        # passed in
        self._ttl_ms = ttl_ms
        self._now_ms = now_ms
        self._store = store or NotKept()
        # made here
        self._users: dict[tuple[str, str], _User] = {}

    def __len__(self) -> int:
        return len(self._users)

    async def put(
        self, app: str, user: str, device: str, connection: str, status: str, text: str | None
    ) -> bool:
        """See `presence_view` for what a status means. `text` None leaves it, empty clears it."""
        entry = await self._entered(app, user)
        before, kept = self._view(user, entry), entry.kept()
        entry.mode = next_mode(entry.mode, status)
        if text is not None:
            entry.text = text or None
        now = self._now_ms()
        if status == "invisible" and before.status != "offline":
            entry.last_seen = now
        entry.connections[connection] = _Entry(device, status == "away", now + self._ttl_ms)
        changed = differs(before, self._view(user, entry))
        if entry.kept() != kept:
            await self._keep(app, user, entry)
        return changed

    async def _entered(self, app: str, user: str) -> _User:
        """Nothing is awaited between the return and what the caller does with it."""
        key = (app, user)
        if key not in self._users:
            kept = (await self._store.read(app, [user])).get(user, Kept())
            self._users.setdefault(key, _User.of(kept))  # another Connection may have been faster
        return self._users[key]

    async def remove(self, app: str, user: str, connection: str) -> bool:
        """One Connection went."""
        entry = self._users.get((app, user))
        if entry is None:
            return False
        before = self._view(user, entry)
        entry.connections.pop(connection, None)
        if before.status != "offline" and not entry.connections:
            entry.last_seen = self._now_ms()
        changed = differs(before, self._view(user, entry))
        await self._leave(app, user, entry)
        return changed

    async def _leave(self, app: str, user: str, entry: _User) -> None:
        """Out of memory with the last Connection, once what is to be kept is kept. Until then it
        stays, so that who comes back meanwhile does not read what is older.
        """
        if entry.connections or not await self._keep(app, user, entry):
            return
        if not entry.connections and self._users.get((app, user)) is entry:
            del self._users[app, user]

    async def _keep(self, app: str, user: str, entry: _User) -> bool:
        """Whether it could be; what could not is tried again by `expire`."""
        try:
            await self._store.write(app, user, entry.kept())
        except Refused as error:
            log.warning("cannot keep presence: %s", error.message)
            return False
        return True

    async def touch(self, entries: Iterable[tuple[str, str, str]]) -> None:
        """Unknown ones are passed over."""
        expires = self._now_ms() + self._ttl_ms
        for app, user, connection in entries:
            known = self._users.get((app, user))
            if known and connection in known.connections:
                known.connections[connection].expires_ms = expires

    async def get(self, app: str, users: Sequence[str]) -> list[Presence]:
        """One for each, in the same order; a stranger is offline."""
        here = {user: self._users[app, user] for user in users if (app, user) in self._users}
        others = [user for user in users if user not in here]
        kept = await self._store.read(app, others) if others else {}
        return [
            self._view(user, here.get(user) or _User.of(kept.get(user, Kept()))) for user in users
        ]

    async def live(self, app: str, users: Sequence[str]) -> set[str]:
        """Those with a Connection that has not run out."""
        return {user for user in users if self._alive(self._users.get((app, user), _User()))}

    async def devices(self, app: str, users: Sequence[str]) -> dict[str, set[str]]:
        """Likewise."""
        alive = {user: self._alive(self._users.get((app, user), _User())) for user in users}
        return {user: {device for device, _ in found} for user, found in alive.items()}

    async def expire(self) -> list[tuple[str, str]]:
        """Drops Connections that ran out."""
        gone = [key for key, entry in self._users.items() if self._run_out(entry)]
        idle = [(key, entry) for key, entry in self._users.items() if not entry.connections]
        for (app, user), entry in idle:
            await self._leave(app, user, entry)
        return gone

    def _run_out(self, entry: _User) -> bool:
        """Whether there were Connections, and are none any more."""
        now = self._now_ms()
        ended = [name for name, one in entry.connections.items() if one.expires_ms <= now]
        for name in ended:
            del entry.connections[name]
        over = bool(ended) and not entry.connections
        if over and entry.mode not in OFFLINE_MODES:
            entry.last_seen = now
        return over

    def _view(self, user: str, entry: _User) -> Presence:
        return view(user, entry.mode, entry.text, entry.last_seen, self._alive(entry))

    def _alive(self, entry: _User) -> list[tuple[str, bool]]:
        now = self._now_ms()
        connections = entry.connections.values()
        return [(one.device, one.away) for one in connections if one.expires_ms > now]
