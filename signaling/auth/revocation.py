"""Tokens taken back before they expire: by their `jti`, by user, by the key that signed them."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from signaling import topics
from signaling.auth.tokens import LEEWAY_S, MAX_LIFETIME_S, Claims
from signaling.ports import Broker, Clock, Hint

POLL_S = 0.5
"""How often the store is read for what other nodes revoked: no hint is needed for the cut."""
AGAIN_MS = 15_000
"""A Connection that is just opening is not seen by a cut, so cuts are repeated for so long."""
FORGET_S = 3600.0
KEPT_MS = (MAX_LIFETIME_S + 2 * LEEWAY_S) * 1000
"""After it every token a revocation could name has expired by itself."""


class Revocation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Ends tokens of an app: those of `user`, or of one `device` of theirs, with this `jti`, or
    signed with `key`.
    """

    app: str
    at: int
    """Tokens issued later are good."""
    number: int = 0
    """Given by the store; grows."""
    user: str | None = None
    jti: str | None = None
    key: str | None = None
    device: str | None = None

    def fits(self) -> dict[str, Any]:
        """What `Sessions.fitting` takes."""
        return {
            "app": self.app,
            "user": self.user,
            "device": self.device,
            "key": self.key,
            "jti": self.jti,
            "before": self.at if self.user is not None else None,
        }


class RevocationStore(Protocol):
    """What was taken back, until it does not matter any more."""

    async def put(self, revocation: Revocation, until: int) -> int:
        """Keep it; its number."""

    async def names(
        self, app: str, user: str, jti: str | None, issued_at: int, device: str | None = None
    ) -> bool:
        """Whether a token of this user, issued then, perhaps for one device, was taken back."""

    async def after(self, number: int) -> list[Revocation]:
        """Newer ones, oldest first."""

    async def last(self) -> int:
        """The newest number."""

    async def forget(self, before: int) -> None:
        """Drop what nobody needs any more."""


Cut = Callable[[Mapping[str, Any]], None]
"""Closes this node's sockets that fit."""


class Revoking:
    """Writes revocations, answers `Tokens`, and has sockets cut, here and on every node."""

    def __init__(self, store: RevocationStore, broker: Broker, cut: Cut, clock: Clock) -> None:
        # passed in
        self._store = store
        self._broker = broker
        self._cut = cut
        self._clock = clock
        # made here
        self._last = 0
        self._recent: list[tuple[int, Revocation]] = []

    async def begin(self) -> None:
        """From now on."""
        self._last = await self._store.last()

    async def revoked(self, claims: Claims) -> bool:
        """See tokens.Revocations. A token without `iat` counts as old."""
        issued_at = claims.issued_at or 0
        return await self._store.names(
            claims.app, claims.user, claims.jti, issued_at, claims.device
        )

    async def user(self, app: str, user: str) -> None:
        """All tokens of a user issued so far."""
        await self._revoke(Revocation(app=app, at=self._clock(), user=user))
        hint = Hint(event="session:revoked", data={"before": self._clock(), "reason": "revoked"})
        await self._broker.publish(topics.user(app, user), hint)

    async def device(self, app: str, user: str, device: str) -> None:
        """Tokens of one device issued so far. Cut by a hint, so that a device which signs itself
        out is answered before, and by `poll` where the hint is lost.
        """
        now = self._clock()
        await self._store.put(Revocation(app=app, at=now, user=user, device=device), now + KEPT_MS)
        data = {"device": device, "before": now, "reason": "signed_out"}
        await self._broker.publish(topics.user(app, user), Hint(event="session:revoked", data=data))

    async def token(self, app: str, jti: str) -> None:
        """The tokens of this `jti`."""
        await self._revoke(Revocation(app=app, at=self._clock(), jti=jti))

    async def key(self, app: str, key: str) -> None:
        """The sockets of tokens a key signed; the key itself is the registry's."""
        await self._revoke(Revocation(app=app, at=self._clock(), key=key))

    async def _revoke(self, revocation: Revocation) -> None:
        await self._store.put(revocation, revocation.at + KEPT_MS)
        await self.poll()

    async def poll(self) -> None:
        """Cut what was revoked since the last time, by whichever node."""
        now = self._clock()
        for one in await self._store.after(self._last):
            self._recent.append((now, one))
            self._last = max(self._last, one.number)
        self._recent = [(at, one) for at, one in self._recent if at > now - AGAIN_MS]
        for _, one in self._recent:
            self._cut(one.fits())

    async def forget(self) -> None:
        """Now and then."""
        await self._store.forget(self._clock())
