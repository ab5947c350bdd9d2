"""The live Connections of this node: who they are, and when their tokens run out."""

import heapq
from collections.abc import Iterator

from signaling.model import Identity

EXPIRING_MS = 60_000
"""`session:expiring` comes this long before the end."""


class Sessions:
    """Identity by Connection, Connections by User. Pure; `now_ms` is an argument."""

    def __init__(self) -> None:
        self._identities: dict[str, Identity] = {}
        self._users: dict[tuple[str, str], set[str]] = {}
        self._keys: dict[str, tuple[str, str | None, int]] = {}
        self._due: list[tuple[int, str, bool]] = []

    def __len__(self) -> int:
        return len(self._identities)

    def __iter__(self) -> Iterator[Identity]:
        return iter(list(self._identities.values()))

    def put(self, who: Identity, key: str = "", jti: str | None = None, issued_at: int = 0) -> None:
        """Add a Connection, or replace what it was: a refreshed token."""
        self._identities[who.connection] = who
        self._users.setdefault((who.app, who.user), set()).add(who.connection)
        self._keys[who.connection] = (key, jti, issued_at)
        heapq.heappush(self._due, (who.expires_at - EXPIRING_MS, who.connection, False))
        heapq.heappush(self._due, (who.expires_at, who.connection, True))

    def remove(self, connection: str) -> Identity | None:
        """Forget one; None when unknown."""
        who = self._identities.pop(connection, None)
        self._keys.pop(connection, None)
        if who is not None:
            mine = self._users.get((who.app, who.user), set())
            mine.discard(connection)
            if not mine:
                self._users.pop((who.app, who.user), None)
        return who

    def get(self, connection: str) -> Identity | None:
        """Who a Connection is now."""
        return self._identities.get(connection)

    def of(self, app: str, user: str, device: str | None = None) -> list[str]:
        """Connections of a User, or of one of their Devices."""
        mine = self._users.get((app, user), ())
        return [name for name in mine if device in (None, self._identities[name].device)]

    def fitting(
        self,
        *,
        app: str,
        user: str | None = None,
        device: str | None = None,
        key: str | None = None,
        jti: str | None = None,
        before: int | None = None,
    ) -> list[str]:
        """Connections of an App by User, Device, and the token's key, `jti` and latest time of
        issue (UTC ms); None fits all.
        """
        names = list(self._identities) if user is None else self.of(app, user, device)
        return [
            name
            for name in names
            if self._identities[name].app == app and self._signed(name, key, jti, before)
        ]

    def _signed(self, name: str, key: str | None, jti: str | None, before: int | None) -> bool:
        its_key, its_jti, issued_at = self._keys[name]
        in_time = before is None or issued_at <= before
        return key in (None, its_key) and jti in (None, its_jti) and in_time

    def due(self, now_ms: int) -> tuple[list[Identity], list[Identity]]:
        """(whose token runs out within a minute, whose has run out), each once per token."""
        expiring: list[Identity] = []
        expired: list[Identity] = []
        while self._due and self._due[0][0] <= now_ms:
            at, connection, final = heapq.heappop(self._due)
            who = self._identities.get(connection)
            if who is None or at != who.expires_at - (0 if final else EXPIRING_MS):
                continue
            (expired if final else expiring).append(who)
        return expiring, expired
