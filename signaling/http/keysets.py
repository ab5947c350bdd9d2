"""Key sets that apps publish: fetched over https from public addresses, and remembered."""

import asyncio
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver

from signaling.auth.keyset import check_jwks, check_jwks_url, usable
from signaling.errors import Refused
from signaling.http.lookup import OWNER
from signaling.http.poster import Guard, check_literal

TIMEOUT_S = 5.0
MAX_BYTES = 256 * 1024
FRESH_S = 300.0
"""A set is asked for again after this long."""
STALE_S = 3600.0
"""While its server is away a set may be this old."""
AGAIN_S = 15.0
"""Least time between two fetches of one set, whatever tokens name."""
MAX_SETS = 1000


@dataclass(slots=True)
class _Entry:
    lock: asyncio.Lock
    jwks: dict[str, Any] | None = None
    good_at: float = 0.0
    tried_at: float = float("-inf")


class HttpKeySets:
    """See auth.tokens.KeySets. Use as an async context manager."""

    def __init__(
        self,
        *,
        allow_private: bool = False,
        resolver: AbstractResolver | None = None,
        tls: ssl.SSLContext | None = None,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        # passed in
        self._allow_private = allow_private
        self._tls = tls
        self._clock_s = clock_s
        # made here
        self._guard = Guard(allow_private=allow_private, resolver=resolver)
        self._session: aiohttp.ClientSession | None = None
        self._entries: dict[str, _Entry] = {}
        self.fetches_total = 0

    async def __aenter__(self) -> "HttpKeySets":
        connector = aiohttp.TCPConnector(
            resolver=self._guard,
            use_dns_cache=False,
            limit=8,
            ssl=True if self._tls is None else self._tls,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
            trust_env=False,
            headers={"User-Agent": "TokenIM", "Accept": "application/json"},
        )
        return self

    async def __aexit__(self, *_: Any) -> None:
        if self._session is not None:
            await self._session.close()
        await self._guard.close()

    async def get(self, url: str, kid: str | None) -> dict[str, Any]:
        """The set at `url`. Raises Refused unavailable when there is none to be had."""
        entry = self._entries.get(url)
        if entry is None:
            if len(self._entries) >= MAX_SETS:
                self._entries.pop(next(iter(self._entries)))
            entry = self._entries[url] = _Entry(asyncio.Lock())
        async with entry.lock:
            if self._wants(entry, kid):
                await self._refresh(url, entry)
        if entry.jwks is None or self._clock_s() - entry.good_at > STALE_S:
            raise Refused("unavailable", "the app's key set cannot be read now")
        return entry.jwks

    def _wants(self, entry: _Entry, kid: str | None) -> bool:
        now = self._clock_s()
        if now - entry.tried_at < AGAIN_S:
            return False
        known = entry.jwks is not None and (
            kid is None or any(key.get("kid") == kid for key in entry.jwks["keys"])
        )
        return not known or now - entry.good_at > FRESH_S

    async def _refresh(self, url: str, entry: _Entry) -> None:
        entry.tried_at = self._clock_s()
        self.fetches_total += 1
        try:
            entry.jwks = await self._fetch(url)
            entry.good_at = self._clock_s()
        except (aiohttp.ClientError, OSError, ValueError, Refused, RecursionError):
            return  # what was known before goes on until it is stale

    async def _fetch(self, url: str) -> dict[str, Any]:
        assert self._session is not None, "enter it first"
        check_jwks_url(url)
        OWNER.set(url)
        check_literal(url, allow_private=self._allow_private)
        async with self._session.get(url, allow_redirects=False) as answer:
            if answer.status != 200:
                raise ValueError(f"answered {answer.status}")
            body = await answer.content.read(MAX_BYTES + 1)
            while not answer.content.at_eof() and len(body) <= MAX_BYTES:
                body += await answer.content.read(MAX_BYTES + 1 - len(body))
        if len(body) > MAX_BYTES:
            raise ValueError(f"a key set has at most {MAX_BYTES} bytes")
        jwks = usable(msgspec.json.decode(body, type=dict[str, Any]))
        check_jwks(jwks)
        return jwks
