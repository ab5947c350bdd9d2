"""The PresenceManager within one process; share one object between nodes."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from signaling.adapters.presence_view import differs, next_mode, view
from signaling.model import Presence

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


class MemoryPresence:
    """Users with at least one Connection, and what the others said last."""

    def __init__(self, ttl_ms: int = TTL_MS, now_ms: Callable[[], int] = _utc_ms) -> None:
        self._ttl_ms = ttl_ms
        self._now_ms = now_ms
        self._users: dict[tuple[str, str], _User] = {}

    async def put(
        self, app: str, user: str, device: str, connection: str, status: str, text: str | None
    ) -> bool:
        """See `presence_view` for what a status means. `text` None leaves it, empty clears it."""
        entry = self._users.setdefault((app, user), _User())
        before = self._view(user, entry)
        entry.mode = next_mode(entry.mode, status)
        if text is not None:
            entry.text = text or None
        now = self._now_ms()
        if status == "invisible" and before.status != "offline":
            entry.last_seen = now
        entry.connections[connection] = _Entry(device, status == "away", now + self._ttl_ms)
        return differs(before, self._view(user, entry))

    async def remove(self, app: str, user: str, connection: str) -> bool:
        """One Connection went."""
        entry = self._users.get((app, user))
        if entry is None:
            return False
        before = self._view(user, entry)
        entry.connections.pop(connection, None)
        if before.status != "offline" and not entry.connections:
            entry.last_seen = self._now_ms()
        return differs(before, self._view(user, entry))

    async def touch(self, entries: Iterable[tuple[str, str, str]]) -> None:
        """Unknown ones are passed over."""
        expires = self._now_ms() + self._ttl_ms
        for app, user, connection in entries:
            known = self._users.get((app, user))
            if known and connection in known.connections:
                known.connections[connection].expires_ms = expires

    async def get(self, app: str, users: Sequence[str]) -> list[Presence]:
        """One for each, in the same order; a stranger is offline."""
        return [self._view(user, self._users.get((app, user), _User())) for user in users]

    async def live(self, app: str, users: Sequence[str]) -> set[str]:
        """Those with a Connection that has not run out."""
        return {user for user in users if self._alive(self._users.get((app, user), _User()))}

    async def devices(self, app: str, users: Sequence[str]) -> dict[str, set[str]]:
        """Likewise."""
        alive = {user: self._alive(self._users.get((app, user), _User())) for user in users}
        return {user: {device for device, _ in found} for user, found in alive.items()}

    async def expire(self) -> list[tuple[str, str]]:
        """Drops Connections that ran out."""
        now = self._now_ms()
        gone = []
        for key, entry in self._users.items():
            kept = {name: one for name, one in entry.connections.items() if one.expires_ms > now}
            if entry.connections and not kept:
                if entry.mode != "invisible":
                    entry.last_seen = now
                gone.append(key)
            entry.connections = kept
        return gone

    def _view(self, user: str, entry: _User) -> Presence:
        return view(user, entry.mode, entry.text, entry.last_seen, self._alive(entry))

    def _alive(self, entry: _User) -> list[tuple[str, bool]]:
        now = self._now_ms()
        connections = entry.connections.values()
        return [(one.device, one.away) for one in connections if one.expires_ms > now]
