"""Posts to addresses that others chose, so it looks where it goes: not into private networks."""

import asyncio
import errno
import ipaddress
import socket
import weakref
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from signaling.http.lookup import OWNER, Lookup
from signaling.outbox.dispatcher import PostFailed

TIMEOUT_S = 10.0
MAX_ANSWER_BYTES = 64 * 1024
AT_ONCE = 512
AT_ONCE_EACH = 16
"""Requests under way for one owner: servers that do not answer take no place from others'."""

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052
GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")  # RFC 4291 section 2.4


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet, and so does one it carries inside."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv4Address):
        return ip.is_global and not ip.is_multicast
    inner = _inner(ip)
    if inner is not None:
        return is_public(str(inner))
    return ip.is_global and ip in GLOBAL_UNICAST


def _inner(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that mapped, NAT64 and 6to4 ones lead to."""
    if ip in NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour


class Guard(AbstractResolver):
    """Resolves, and lets only public addresses through; the connection uses what was checked."""

    def __init__(self, *, allow_private: bool, resolver: AbstractResolver | None = None) -> None:
        # passed in
        self._allow_private = allow_private
        self._resolver = resolver or Lookup()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises OSError when nothing public is left."""
        found = await self._resolver.resolve(host, port, family)
        kept = [one for one in found if self._allow_private or is_public(one["host"])]
        if not kept:
            raise OSError(errno.EACCES, f"{host} is in a private network")
        return kept

    async def close(self) -> None:
        """Let go of the threads."""
        await self._resolver.close()


class HttpPoster:
    """See signaling.outbox.dispatcher.Poster. Use as an async context manager."""

    def __init__(
        self, *, allow_private: bool = False, resolver: AbstractResolver | None = None
    ) -> None:
        # passed in
        self._allow_private = allow_private
        # made here
        self._guard = Guard(allow_private=allow_private, resolver=resolver)
        self._session: aiohttp.ClientSession | None = None
        self._turns: weakref.WeakValueDictionary[str, asyncio.Semaphore] = (
            weakref.WeakValueDictionary()
        )

    async def __aenter__(self) -> "HttpPoster":
        connector = aiohttp.TCPConnector(resolver=self._guard, use_dns_cache=False, limit=AT_ONCE)
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=None),  # `ask` has its own
            trust_env=False,
            headers={"User-Agent": "TokenIM"},
        )
        return self

    async def __aexit__(self, *_: Any) -> None:
        if self._session is not None:
            await self._session.close()
        await self._guard.close()

    async def post(self, url: str, headers: dict[str, str], body: bytes, owner: str) -> None:
        """One try; redirects are not followed, they could lead anywhere."""
        await self.ask(url, headers, body, owner)

    async def ask(
        self,
        url: str,
        headers: dict[str, str],
        body: bytes,
        owner: str,
        limit_s: float = TIMEOUT_S,
    ) -> bytes:
        """The beginning of a 2xx answer's body, up to 64 KiB. Raises PostFailed."""
        OWNER.set(owner)
        try:
            check_literal(url, allow_private=self._allow_private)
            async with asyncio.timeout(limit_s), self._turn(owner):
                status, said = await self._send(url, headers, body)
        except asyncio.TimeoutError as error:  # noqa: UP041 - the same class, the name says more
            raise PostFailed(f"no answer within {limit_s:.0f} s") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise PostFailed(str(error) or type(error).__name__) from error
        if not 200 <= status < 300:
            raise PostFailed(f"answered {status}", status)
        return said

    def _turn(self, owner: str) -> asyncio.Semaphore:
        turn = self._turns.get(owner)
        if turn is None:
            turn = self._turns[owner] = asyncio.Semaphore(AT_ONCE_EACH)
        return turn

    async def _send(self, url: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        assert self._session is not None, "enter it first"
        async with self._session.post(
            url, data=body, headers=headers, allow_redirects=False
        ) as answer:
            return answer.status, await _read(answer.content)


async def _read(content: aiohttp.StreamReader) -> bytes:
    try:
        return await content.readexactly(MAX_ANSWER_BYTES)
    except asyncio.IncompleteReadError as ended:
        return ended.partial


def check_literal(url: str, *, allow_private: bool) -> None:
    """A literal address is not resolved, so it is looked at here. Raises ValueError."""
    host = URL(url).host or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return
    if not allow_private and not is_public(host):
        raise ValueError(f"{host} is in a private network")
