"""Users an app shuts out altogether: for a time or for ever."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

import msgspec

from signaling.auth.tokens import Claims
from signaling.errors import Refused
from signaling.model import AuditEntry
from signaling.ports import Clock, Waiting

Tell = Callable[[str, str, str, dict[str, Any]], Awaitable[None]]
"""News for webhooks: (app, type, subject, data)."""


class Ban(msgspec.Struct, frozen=True, kw_only=True):
    """A User who may not come in."""

    app: str
    user: str
    until: int | None = None
    """None: for ever."""
    reason: str = ""
    by: str
    at: int


class BanStore(Protocol):
    """Bans, each written down in the same transaction."""

    async def put(self, ban: Ban, entry: AuditEntry) -> None:
        """Insert or replace."""

    async def remove(self, app: str, user: str, entry: AuditEntry) -> bool:
        """False, and nothing written down, when there was none."""

    async def get(self, app: str, user: str) -> Ban | None: ...

    async def page(self, app: str, after: str, limit: int) -> Sequence[Ban]:
        """Ordered by user."""


class SignOut(Protocol):
    """Takes back tokens; see auth.revocation.Revoking."""

    async def user(self, app: str, user: str) -> None:
        """All tokens of a user issued so far; their sockets are cut on every node."""


class Bans:
    """`admit` is asked for every token."""

    def __init__(self, store: BanStore, sign_out: SignOut, waiting: Waiting, clock: Clock) -> None:
        # passed in
        self.store = store
        self._sign_out = sign_out
        self._waiting = waiting
        self._clock = clock
        # filled at composition
        self.tell: Tell = silently

    async def admit(self, claims: Claims) -> None:
        """Raises Refused forbidden."""
        ban = await self.store.get(claims.app, claims.user)
        if ban is None:
            return
        now = self._clock()
        if ban.until is not None and ban.until <= now:
            return
        left_ms = None if ban.until is None else ban.until - now
        raise Refused("forbidden", "this user is suspended", retry_after_ms=left_ms)

    async def ban(self, app: str, user: str, until: int | None, reason: str, by: str) -> Ban:
        """Out at once, on every device and node. What waits to be sent is dropped."""
        now = self._clock()
        if until is not None and until <= now:
            raise Refused("bad_request", "`until` has passed")
        ban = Ban(app=app, user=user, until=until, reason=reason, by=by, at=now)
        details = {"until": until, "reason": reason}
        await self.store.put(ban, self._entry(app, by, "user:banned", user, details))
        await self._sign_out.user(app, user)
        for message in await self._waiting.of(app, user):
            await self._waiting.remove(message.id)
        await self.tell(app, "user:banned", user, {"user": user, "by": by, **details})
        return ban

    async def lift(self, app: str, user: str, by: str) -> None:
        """Tokens made from now on are good. Raises Refused not_found."""
        entry = self._entry(app, by, "user:unbanned", user, {})
        if not await self.store.remove(app, user, entry):
            raise Refused("not_found", "this user is not banned")
        await self.tell(app, "user:unbanned", user, {"user": user, "by": by})

    def _entry(
        self, app: str, by: str, action: str, user: str, details: dict[str, Any]
    ) -> AuditEntry:
        return AuditEntry(
            app=app, at=self._clock(), actor=by, action=action, subject=user, details=details
        )


async def silently(app: str, kind: str, subject: str, data: dict[str, Any]) -> None:
    """No webhooks yet."""
