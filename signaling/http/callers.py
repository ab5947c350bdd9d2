"""Who sends a REST request: a user with a token, or an app's server with its key."""

import base64

import msgspec
from aiohttp import web

from signaling.auth.registry import OPERATOR, Registry
from signaling.auth.tokens import Claims, Tokens, check_id
from signaling.errors import Refused
from signaling.http.rates import RestRates
from signaling.model import APP_USER, ApiKey, Grants, Identity

MAX_HEADER_CHARS = 10 * 1024
REST_DEVICE = "rest"


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two: `claims` of a user's token, or the app's `key`."""

    app: str
    claims: Claims | None = None
    key: ApiKey | None = None

    @property
    def name(self) -> str:
        """Who this is within the app."""
        if self.claims is not None:
            return f"user:{self.claims.user}"
        return f"key:{self.key.id if self.key else ''}"

    def need(self, scope: str) -> "Caller":
        """This caller, when it is a key with `scope`. Raises Refused forbidden."""
        enough = {scope} if scope == OPERATOR else {scope, "admin"}
        if self.key is None or not enough.intersection(self.key.scopes):
            raise Refused("forbidden", f"this takes an API key with the scope `{scope}`")
        return self

    def acting(self, user: str | None) -> Identity:
        """The identity services see: the token's user, or whom the app's server acts for."""
        if self.claims is not None:
            if user not in (None, self.claims.user):
                raise Refused("forbidden", "a user's token acts for that user only")
            return self.claims.identity("", self.claims.device or REST_DEVICE)
        if not user:
            raise Refused("bad_request", "an app's server names the user it acts for: `as=`")
        try:
            check_id(user, "as")
        except Refused as refused:
            raise Refused("bad_request", refused.message) from refused
        return self._as(user)

    def itself(self) -> Identity:
        """The app's server, which acts for no user."""
        return self._as(APP_USER)

    def _as(self, user: str) -> Identity:
        grants = Grants(admin=True)
        return Identity(
            app=self.app,
            user=user,
            device=REST_DEVICE,
            connection="",
            name=user,
            grants=grants,
            expires_at=2**53,
        )


CALLER = web.RequestKey("caller", Caller)


class Callers:
    """Reads `Authorization`: Bearer with a user token, Basic with an API key (RFC 7617)."""

    def __init__(self, tokens: Tokens, registry: Registry, rates: RestRates | None = None) -> None:
        # passed in
        self._tokens = tokens
        self._registry = registry
        self._rates = rates

    async def any(self, request: web.Request) -> Caller:
        """Raises Refused unauthorized, rate_limited."""
        known: Caller | None = request.get(CALLER)
        if known is not None:
            return known
        rates = self._rates
        if rates is not None:
            await rates.guess(request)
        try:
            caller = await self._read(request)
        except Refused:
            if rates is not None:
                await rates.unnamed(request)
            raise
        if rates is not None:
            user = None if caller.claims is None else caller.claims.user
            await rates.named(request, caller.app, caller.name, user)
        request[CALLER] = caller
        return caller

    async def _read(self, request: web.Request) -> Caller:
        header = request.headers.get("Authorization", "")[:MAX_HEADER_CHARS]
        scheme, _, rest = header.partition(" ")
        if scheme.lower() == "bearer":
            claims = await self._tokens.verify(rest.strip())
            return Caller(app=claims.app, claims=claims)
        if scheme.lower() == "basic":
            key = await self._registry.authenticate(*_credentials(rest.strip()))
            return Caller(app=key.app, key=key)
        raise Refused("unauthorized", "send Authorization: Bearer <token> or Basic <key:secret>")

    async def user(self, request: web.Request) -> Identity:
        """Only a user's token will do. Raises Refused unauthorized."""
        caller = await self.any(request)
        if caller.claims is None:
            raise Refused("unauthorized", "this takes a user's token")
        return caller.acting(None)

    async def acting(self, request: web.Request, *, app: bool = False) -> Identity:
        """The user of the token, or of `?as=` when the app's server asks; with `app` it may ask
        for itself.
        """
        caller = await self.any(request)
        if caller.key is not None:
            caller.need("read" if request.method in ("GET", "HEAD") else "write")
        for_user = request.query.get("as")
        return caller.itself() if app and caller.key and not for_user else caller.acting(for_user)

    async def key(self, request: web.Request, scope: str) -> ApiKey:
        """Only an API key with `scope` will do. Raises Refused."""
        caller = (await self.any(request)).need(scope)
        assert caller.key is not None
        return caller.key


def _credentials(text: str) -> tuple[str, str]:
    try:
        plain = base64.b64decode(text, validate=True).decode()
    except ValueError as error:  # no base64, no ASCII, no UTF-8
        raise Refused("unauthorized", "malformed Basic credentials") from error
    key, colon, secret = plain.partition(":")
    if not colon:
        raise Refused("unauthorized", "malformed Basic credentials")
    return key, secret
