"""User tokens: JWT (RFC 7519), signed with an API key's secret or by an app's own key pair.

The algorithm is decided by what is configured, never by the token alone (RFC 8725, 3.1): HS256 goes
with a key's secret, RS256, ES256 and EdDSA with the public keys in the app's `jwks` setting, or at
its `jwks_url`.
"""

import json
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import jwt
import msgspec

from signaling.auth import grants as grants_of
from signaling.auth.keyset import PUBLIC_ALGORITHMS, find_key
from signaling.auth.registry import Registry
from signaling.errors import Refused
from signaling.model import APP_USER, Grants, Identity

MAX_TOKEN_CHARS = 8 * 1024
MAX_LIFETIME_S = 24 * 3600
LEEWAY_S = 30
MAX_ID_CHARS = 128


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """What a token says, checked."""

    app: str
    user: str
    name: str | None
    """None leaves what the user is called."""
    device: str | None
    jti: str | None
    key: str
    """`iss`: the API key's id, or the app's for tokens of its own key pair."""
    grants: Grants
    issued_at: int | None
    """UTC milliseconds."""
    expires_at: int
    """UTC milliseconds."""

    def identity(self, connection: str, device: str) -> Identity:
        """This user on a Connection of `device`. Raises Refused when the token is for another."""
        if self.device is not None and self.device != device:
            raise Refused("unauthorized", "this token is for another device")
        return Identity(
            app=self.app,
            user=self.user,
            device=check_id(device, "device"),
            connection=connection,
            name=self.name or self.user,
            grants=self.grants,
            expires_at=self.expires_at,
        )


class Revocations(Protocol):
    """Tokens that were taken back before they expired."""

    async def revoked(self, claims: Claims) -> bool:
        """By `jti`, or because the user was signed out after `issued_at`."""


class KeySets(Protocol):
    """Key sets that apps publish at a URL of theirs."""

    async def get(self, url: str, kid: str | None) -> dict[str, Any]:
        """A checked set, as fresh as it must be to hold `kid`. Raises Refused unavailable."""


class NoRevocations:
    """Every token lives until it expires."""

    async def revoked(self, claims: Claims) -> bool:
        """False."""
        return False


async def _everybody(claims: Claims) -> None:
    """Nobody is shut out."""


class Tokens:
    """Mints and checks user tokens."""

    def __init__(
        self,
        registry: Registry,
        revocations: Revocations | None = None,
        clock_s: Callable[[], float] = time.time,
        key_sets: KeySets | None = None,
    ) -> None:
        # passed in
        self._registry = registry
        self._key_sets = key_sets
        self._revocations = revocations or NoRevocations()
        self._clock_s = clock_s
        # filled at composition
        self.admit: Callable[[Claims], Awaitable[None]] = _everybody
        """Asked last; raises Refused for a user who is shut out."""

    async def mint(
        self,
        key: str,
        user: str,
        *,
        name: str | None = None,
        device: str | None = None,
        grants: Grants | None = None,
        lifetime_s: int = 3600,
        jti: str | None = None,
    ) -> str:
        """A token signed with the key's secret. Raises Refused."""
        record = await self._registry.live_key(key)
        if record is None:
            raise Refused("not_found", f"no key {key!r}")
        if "tokens" not in record.scopes:
            raise Refused("forbidden", "this key may not sign tokens")
        if not 0 < lifetime_s <= MAX_LIFETIME_S:
            raise Refused("bad_request", f"a token lives 1 to {MAX_LIFETIME_S} seconds")
        now = self._clock_s()
        # To the millisecond: a token made right after its user was signed out is a good one.
        claims: dict[str, Any] = {"iss": key, "sub": check_id(user, "user"), "iat": round(now, 3)}
        claims |= {"exp": int(now) + lifetime_s}
        optional = {"name": name, "device": device, "jti": jti}
        claims |= {word: value for word, value in optional.items() if value is not None}
        if grants is not None:
            claims["grants"] = msgspec.to_builtins(grants)
        return jwt.encode(claims, self._registry.signing_secret(record), algorithm="HS256")

    async def verify(self, token: Any) -> Claims:
        """Raises Refused unauthorized, with what is wrong in words."""
        if not isinstance(token, str) or not 0 < len(token) <= MAX_TOKEN_CHARS:
            raise Refused("unauthorized", "no token, or one that is too long")
        algorithm, issuer, kid = _announced(token)
        app, key = await self._verifying_key(algorithm, issuer, kid)
        claims = self._claims(app, self._decoded(token, key, algorithm))
        if await self._revocations.revoked(claims):
            raise Refused("unauthorized", "token has been revoked")
        await self.admit(claims)
        return claims

    async def _verifying_key(
        self, algorithm: str, issuer: str, kid: str | None
    ) -> tuple[str, str | jwt.PyJWK]:
        record = await self._registry.live_key(issuer)
        if algorithm == "HS256":
            if record is None or "tokens" not in record.scopes:
                raise Refused("unauthorized", "token is signed with an unknown or revoked key")
            return record.app, self._registry.signing_secret(record)
        if algorithm not in PUBLIC_ALGORITHMS:
            raise Refused("unauthorized", f"token algorithm {algorithm[:20]!r} is not accepted")
        app = record.app if record else issuer
        return app, await self._public_key(app, algorithm, kid)

    async def _public_key(self, app: str, algorithm: str, kid: str | None) -> jwt.PyJWK:
        try:
            settings = (await self._registry.app(app)).settings
        except Refused as error:
            raise Refused("unauthorized", "token has an unknown issuer") from error
        found = find_key(settings.get("jwks", {}), algorithm, kid)
        url = settings.get("jwks_url")
        if found is None and url is not None and self._key_sets is not None:
            found = find_key(await self._key_sets.get(url, kid), algorithm, kid)
        if found is None:
            raise Refused("unauthorized", f"the app has no {algorithm} key that fits the token")
        return found

    def _decoded(self, token: str, key: str | jwt.PyJWK, algorithm: str) -> dict[str, Any]:
        try:
            # Times are checked below, against our own clock.
            options: Any = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}
            options |= {"verify_aud": False, "require": ["exp", "sub", "iss"]}
            return jwt.decode(token, key, algorithms=[algorithm], options=options)
        except jwt.MissingRequiredClaimError as error:
            raise Refused("unauthorized", f"token lacks `{error.claim}`") from error
        except (jwt.InvalidTokenError, ValueError) as error:
            raise Refused("unauthorized", "token is malformed or its signature wrong") from error

    def _claims(self, app: str, raw: dict[str, Any]) -> Claims:
        now_s = self._clock_s()
        expires_s = _seconds(raw, "exp")
        if expires_s <= now_s - LEEWAY_S:
            raise Refused("unauthorized", "token has expired")
        if expires_s > now_s + MAX_LIFETIME_S + LEEWAY_S:
            raise Refused("unauthorized", "token lives longer than 24 hours")
        for word in ("iat", "nbf"):
            if word in raw and _seconds(raw, word) > now_s + LEEWAY_S:
                raise Refused("unauthorized", "token is not valid yet")
        return Claims(
            app=app,
            user=check_id(raw["sub"], "sub"),
            name=shown_name(raw.get("name")),
            device=None if raw.get("device") is None else check_id(raw["device"], "device"),
            jti=None if raw.get("jti") is None else check_id(raw["jti"], "jti"),
            key=raw["iss"],
            grants=grants_of.parse(raw.get("grants")),
            issued_at=round(_seconds(raw, "iat") * 1000) if "iat" in raw else None,
            expires_at=round(expires_s * 1000),
        )


def check_id(value: Any, what: str) -> str:
    """An id of the app's making: 1 to 128 printable characters without spaces. Raises Refused."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_ID_CHARS:
        raise Refused("unauthorized", f"`{what}` must be text of 1 to {MAX_ID_CHARS} characters")
    if not value.isprintable() or any(letter.isspace() for letter in value):
        raise Refused("unauthorized", f"`{what}` has spaces or characters that cannot be printed")
    if value == APP_USER:
        raise Refused("unauthorized", f"`{what}` cannot be {APP_USER}")
    return value


def _announced(token: str) -> tuple[str, str, str | None]:
    """(alg, iss, kid) as the token claims them, before anything is checked: which key to check it
    with. Read by hand, as PyJWT would decode all of it twice more.
    """
    header, body = (_object(part) for part in (*token.split(".", 2), "", "")[:2])
    algorithm, issuer, kid = header.get("alg"), body.get("iss"), header.get("kid")
    if not isinstance(algorithm, str) or not isinstance(issuer, str) or not issuer.isprintable():
        raise Refused("unauthorized", "token lacks `alg` or `iss`")
    return algorithm, issuer, kid if isinstance(kid, str) else None


def _object(part: str) -> dict[str, Any]:
    try:
        found = json.loads(jwt.utils.base64url_decode(part))
    except (ValueError, RecursionError) as error:
        raise Refused("unauthorized", "token is malformed") from error
    if not isinstance(found, dict):
        raise Refused("unauthorized", "token is malformed")
    return found


def _seconds(raw: dict[str, Any], word: str) -> float:
    value = raw[word]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:
        raise Refused("unauthorized", f"`{word}` must be seconds since 1970")
    return float(value)


def shown_name(value: Any) -> str | None:
    """What people see; control characters go, and None is nothing to see."""
    text = value if isinstance(value, str) else ""
    clean = "".join(letter for letter in text if letter.isprintable()).strip()
    return clean[:100] or None
