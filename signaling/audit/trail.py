"""Writes acts down that no store writes in the transaction that carries them out."""

from collections.abc import Sequence
from typing import Any, Protocol

from signaling.audit.chain import Record, Verdict
from signaling.model import APP_USER, AuditEntry, Identity
from signaling.ports import Clock

SYSTEM = "system"
"""The actor of what the installation does by itself."""


class AuditStore(Protocol):
    """The records, in order. Writers take turns, on one node or several."""

    async def append(self, entry: AuditEntry) -> Record:
        """On disk when it returns, chained to the app's last one."""

    async def page(
        self, app: str, before: int | None, limit: int, action: str | None = None
    ) -> Sequence[Record]:
        """The newest below `before`, newest first; `action` ending in `*` matches any rest."""

    async def verify(self, app: str) -> Verdict:
        """Reads the whole trail of an app."""

    async def apps(self) -> list[str]:
        """Which apps have a trail."""


class Note(Protocol):
    """`Trail.note`, for those who write down what others decided."""

    async def __call__(
        self, app: str, actor: str, action: str, subject: str = "", **details: Any
    ) -> None: ...


async def unnoted(app: str, actor: str, action: str, subject: str = "", **details: Any) -> None:
    """A Note until there is a trail."""


def actor_of(who: Identity) -> str:
    """`user:…`, or `app` for the app's own server."""
    return f"user:{who.user}" if who.user != APP_USER else "app"


class Trail:
    """`note` is called right after an act."""

    def __init__(self, store: AuditStore, clock: Clock) -> None:
        self.store = store
        self._clock = clock

    async def note(
        self, app: str, actor: str, action: str, subject: str = "", **details: Any
    ) -> None:
        """Raises Refused unavailable: the act was done, but its caller learns of a failure."""
        await self.store.append(
            AuditEntry(
                app=app,
                at=self._clock(),
                actor=actor,
                action=action,
                subject=subject,
                details=details,
            )
        )
