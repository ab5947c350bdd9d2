"""What every answer carries and every request passes: security headers, and who really asks."""

from collections.abc import Awaitable, Callable, Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "connect-src 'self' ws: wss:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(self)",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
ONE_YEAR_S = 365 * 24 * 3600

Network = IPv4Network | IPv6Network


def security_headers(
    strict_transport: bool,
) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """A signal that completes every response; a handler's own header wins."""
    headers = dict(HEADERS)
    if strict_transport:
        headers["Strict-Transport-Security"] = f"max-age={ONE_YEAR_S}"

    async def prepare(request: web.Request, response: web.StreamResponse) -> None:
        for name, value in headers.items():
            response.headers.setdefault(name, value)

    return prepare


def networks(trusted: Iterable[str]) -> tuple[Network, ...]:
    """Raises ValueError for what is neither an address nor a network."""
    return tuple(ip_network(entry, strict=False) for entry in trusted)


def forwarded(trusted: tuple[Network, ...]) -> Middleware:
    """A middleware that believes X-Forwarded-For and -Proto from these peers only.

    Addresses are read from the right, as far as the proxies that wrote them are trusted.
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        peer = request.remote or ""
        if not _inside(peer, trusted):
            return await handler(request)
        chain = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
        client = peer
        for address in reversed([part.strip() for part in chain if part.strip()]):
            if not _is_address(address):
                break
            client = address
            if not _inside(address, trusted):
                break
        # Several proxies make a list; the first met the browser.
        scheme = request.headers.get("X-Forwarded-Proto", "").partition(",")[0].strip().lower()
        if scheme not in ("http", "https"):
            scheme = request.scheme
        return await handler(request.clone(remote=client, scheme=scheme))

    return middleware


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _inside(address: str, trusted: tuple[Network, ...]) -> bool:
    return _is_address(address) and any(ip_address(address) in network for network in trusted)
