"""An app's settings at hand for every message: read at most once a second."""

import logging
from typing import Protocol

import msgspec

from signaling.errors import Refused
from signaling.model import App
from signaling.ports import Clock
from signaling.protocol.settings import AppSettings, settings_of

FRESH_MS = 1_000
"""A change holds on every node after so long."""

log = logging.getLogger(__name__)


class AppById(Protocol):
    """Tenants."""

    async def get(self, app: str) -> App | None: ...


class SettingsAtHand:
    """`await settings(app)`; stale ones when the store is away, defaults for an unknown app."""

    def __init__(self, apps: AppById, clock: Clock) -> None:
        # passed in
        self._apps = apps
        self._clock = clock
        # made here
        self._known: dict[str, tuple[int, AppSettings]] = {}
        self._changes = 0
        """What was asked of the store before the last of them may be older."""

    async def __call__(self, app: str) -> AppSettings:
        """Raises Refused unavailable when they were never read."""
        now, known = self._clock(), self._known.get(app)
        if known is not None and 0 <= now - known[0] < FRESH_MS:
            return known[1]
        changes = self._changes
        if known is not None:  # one asks the store, the others go on with what is known
            self._known[app] = now, known[1]
        try:
            found = await self._apps.get(app)
        except Refused:
            if known is None:
                raise
            return known[1]
        fresh = _read(found)
        if known is not None and known[1] == fresh:
            fresh = known[1]
        if changes == self._changes:
            self._known[app] = now, fresh
        return fresh

    def forget(self, app: str) -> None:
        """They have just been changed here."""
        self._known.pop(app, None)
        self._changes += 1


def _read(app: App | None) -> AppSettings:
    if app is None:
        return AppSettings()
    known = {
        name: app.settings[name] for name in AppSettings.__struct_fields__ & app.settings.keys()
    }
    try:
        return settings_of(known)
    except msgspec.ValidationError as error:
        # Written by another version: keep messages going, and say it.
        log.warning("settings of %s cannot be read: %s", app.id, error)
        return AppSettings()
