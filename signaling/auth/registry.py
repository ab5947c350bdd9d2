"""Apps and their API keys: made, rotated, revoked, and checked as credentials."""

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Sequence
from typing import Any

import msgspec

from signaling.auth.keyset import check_jwks, check_jwks_url
from signaling.auth.origins import check_origins
from signaling.auth.sealing import MasterKey, SealBroken
from signaling.errors import Refused
from signaling.model import ApiKey, App, AuditEntry
from signaling.ports import Apps, Clock
from signaling.privacy.retention import check_retention
from signaling.protocol.settings import settings_of

APP_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}", re.ASCII)
MAX_SETTINGS_BYTES = 64 * 1024
SCOPES = frozenset({"tokens", "read", "write", "admin"})
"""What a key may do over REST: sign tokens, read, write, and manage keys."""
OPERATOR = "operator"
"""The scope of whoever runs the installation: register apps. No app gives it to itself."""
MAX_OVERLAP_S = 7 * 86_400


class IssuedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A new key and its secret: the only time the secret leaves."""

    key: ApiKey
    secret: str


def now_ms() -> int:
    """UTC milliseconds."""
    return time.time_ns() // 1_000_000


class Registry:
    """The tenants of this installation."""

    def __init__(self, apps: Apps, master: MasterKey, clock: Clock = now_ms) -> None:
        # passed in
        self._apps = apps
        self._master = master
        self._clock = clock

    async def create_app(
        self,
        name: str,
        app: str | None = None,
        settings: dict[str, Any] | None = None,
        by: str = OPERATOR,
    ) -> App:
        """`by` is who is written down as having done it, here and below.

        Raises Refused: bad_request for an id of another shape, conflict when it is taken.
        """
        app = f"app-{secrets.token_hex(6)}" if app is None else app
        if not APP_ID.fullmatch(app):
            raise Refused("bad_request", f"not an app id: {app!r} (a-z, 0-9, - and _, at most 63)")
        name = _checked_name(name)
        check_settings(settings or {})
        made = App(id=app, name=name, created_at=self._clock(), settings=settings or {})
        return await self._apps.create(made, self._entry(app, by, "app:created", name=name))

    async def app(self, app: str) -> App:
        """Raises Refused not_found."""
        found = await self._apps.get(app)
        if found is None:
            raise Refused("not_found", f"no app {app!r}")
        return found

    async def apps(self) -> list[App]:
        """Every tenant."""
        return await self._apps.all()

    async def find_app(self, text: str) -> App:
        """By id, or by a name that only one app has. Raises Refused not_found, conflict."""
        found = await self._apps.get(text)
        if found is not None:
            return found
        named = [app for app in await self._apps.all() if app.name == text]
        if not named:
            raise Refused("not_found", f"no app has the id or name {text!r}")
        if len(named) > 1:
            ids = ", ".join(app.id for app in named)
            raise Refused("conflict", f"several apps are called {text!r}; use an id: {ids}")
        return named[0]

    async def only_signing_key(self) -> str:
        """The one live key that may sign tokens. Raises Refused not_found, conflict."""
        found = [
            key
            for app in await self._apps.all()
            for key in await self._apps.keys(app.id)
            if key.revoked_at is None and "tokens" in key.scopes
        ]
        if not found:
            raise Refused("not_found", "no key may sign tokens; make one: tokenim key create APP")
        if len(found) > 1:
            ids = ", ".join(f"{key.id} ({key.app})" for key in found)
            raise Refused("conflict", f"name the signing key with --key: {ids}")
        return found[0].id

    async def update_app(
        self, app: str, changes: dict[str, Any], name: str | None = None, by: str = OPERATOR
    ) -> App:
        """Change settings; None removes one. Raises Refused bad_request, too_large, not_found."""
        checked = None if name is None else _checked_name(name)

        def change(found: App) -> tuple[App, AuditEntry]:
            settings = {**found.settings, **changes}
            settings = {word: value for word, value in settings.items() if value is not None}
            check_settings(settings)
            after = {word: settings.get(word) for word in changes}
            named = {} if checked is None else {"name": checked}
            entry = self._entry(app, by, "app:updated", settings=after, **named)
            return msgspec.structs.replace(found, settings=settings, **named), entry

        return await self._apps.change(app, change)

    async def create_key(
        self,
        app: str,
        name: str = "",
        scopes: tuple[str, ...] = ("tokens", "read", "write"),
        by: str = OPERATOR,
    ) -> IssuedKey:
        """A key of an app; its secret is shown here and never again. Raises Refused."""
        await self.app(app)
        if not scopes or not (SCOPES | {OPERATOR}).issuperset(scopes):
            raise Refused("bad_request", f"scopes are of: {', '.join(sorted(SCOPES))}")
        issued = self._issue(app, name, scopes)
        await self._apps.put_key(issued.key, self._created(issued.key, by))
        return issued

    def _issue(self, app: str, name: str, scopes: Sequence[str]) -> IssuedKey:
        """Only what signs tokens must be read back: of the others a hash is kept."""
        key, secret = f"key-{secrets.token_hex(8)}", secrets.token_urlsafe(32)
        sealed = self._master.seal(secret.encode(), key) if "tokens" in scopes else b""
        record = ApiKey(
            id=key,
            app=app,
            name=name[:200],
            scopes=tuple(sorted(set(scopes))),
            sealed=sealed,
            digest=hashlib.sha256(secret.encode()).digest(),
            created_at=self._clock(),
        )
        return IssuedKey(key=record, secret=secret)

    def _created(self, key: ApiKey, by: str) -> AuditEntry:
        made = {"name": key.name, "scopes": key.scopes}
        return self._entry(key.app, by, "key:created", key.id, **made)

    async def keys(self, app: str) -> list[ApiKey]:
        """Keys of an app, the revoked ones too. Raises Refused not_found."""
        await self.app(app)
        return await self._apps.keys(app)

    async def revoke_key(self, key: str, app: str | None = None, by: str = OPERATOR) -> ApiKey:
        """End a key; with `app`, only one of that app's. Raises Refused not_found."""
        ended: list[ApiKey] = []

        def change(known: ApiKey | None) -> list[tuple[ApiKey, AuditEntry]]:
            found, now = _of_app(known, key, app), self._clock()
            over = found.revoked_at is not None and found.revoked_at <= now
            ended[:] = [found if over else msgspec.structs.replace(found, revoked_at=now)]
            entry = self._entry(found.app, by, "key:revoked", key)
            return [] if over else [(ended[0], entry)]

        await self._apps.change_key(key, change)
        return ended[0]

    async def rotate_key(
        self,
        key: str,
        app: str | None,
        overlap_s: int,
        by: str = OPERATOR,
        *,
        within: Sequence[str] = ("operator",),
    ) -> IssuedKey:
        """A new key in the place of `key`, which goes on for so long; with `app`, only one of that
        app's. `within` are the scopes of who asks: nobody gets an operator's secret by less.

        Raises Refused: not_found, forbidden, conflict when it has ended.
        """
        issued: list[IssuedKey] = []

        def change(known: ApiKey | None) -> list[tuple[ApiKey, AuditEntry]]:
            found = _of_app(known, key, app)
            if OPERATOR in found.scopes and OPERATOR not in within:
                raise Refused("forbidden", "an operator's key is rotated by an operator")
            if found.revoked_at is not None:
                raise Refused("conflict", "this key has been revoked or rotated before")
            issued[:] = [self._issue(found.app, found.name, found.scopes)]
            new, ends_at = issued[0].key, self._clock() + 1000 * min(overlap_s, MAX_OVERLAP_S)
            ending = {"successor": new.id, "ends_at": ends_at}
            entry = self._entry(found.app, by, "key:rotated", key, **ending)
            old = msgspec.structs.replace(found, revoked_at=ends_at)
            return [(new, self._created(new, by)), (old, entry)]

        await self._apps.change_key(key, change)
        return issued[0]

    def _entry(
        self, app: str, by: str, action: str, subject: str = "", **details: Any
    ) -> AuditEntry:
        return AuditEntry(
            app=app, at=self._clock(), actor=by, action=action, subject=subject, details=details
        )

    async def live_key(self, key: str) -> ApiKey | None:
        """A key that exists and is not revoked; one that was rotated lives until its time."""
        found = await self._apps.key(key)
        if found is None or (found.revoked_at is not None and found.revoked_at <= self._clock()):
            return None
        return found

    def signing_secret(self, key: ApiKey) -> str:
        """What a key signs tokens with. Raises Refused when the master key has changed."""
        try:
            return self._master.open(key.sealed, key.id).decode()
        except SealBroken as error:
            raise Refused(
                "unavailable", "this key was sealed under another master key", retryable=False
            ) from error

    async def authenticate(self, key: str, secret: str) -> ApiKey:
        """The key of Basic credentials. Raises Refused unauthorized."""
        found = await self.live_key(key)
        digest = hashlib.sha256(secret.encode()).digest()
        # Compare also when there is no such key: both refusals take the same time.
        same = hmac.compare_digest(digest, found.digest if found else bytes(32))
        if found is None or not same:
            raise Refused("unauthorized", "unknown key or wrong secret")
        return found


def _of_app(found: ApiKey | None, key: str, app: str | None) -> ApiKey:
    if found is None or (app is not None and found.app != app):
        raise Refused("not_found", f"no key {key!r}")
    return found


def _checked_name(name: str) -> str:
    if not name.strip() or len(name) > 200:
        raise Refused("bad_request", "an app needs a name of at most 200 characters")
    return name.strip()


def check_settings(settings: dict[str, Any]) -> None:
    """Raises Refused bad_request, too_large."""
    if len(msgspec.json.encode(settings)) > MAX_SETTINGS_BYTES:
        raise Refused("too_large", f"settings take at most {MAX_SETTINGS_BYTES} bytes")
    try:
        settings_of(settings)
    except msgspec.ValidationError as error:
        raise Refused("bad_request", str(error)) from error
    if "jwks" in settings:
        check_jwks(settings["jwks"])
    if "jwks_url" in settings:
        check_jwks_url(settings["jwks_url"])
    if "origins" in settings:
        check_origins(settings["origins"])
    if "retention_days" in settings:
        check_retention(settings["retention_days"])
