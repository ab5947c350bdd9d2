"""Links that work without a header until they expire: HMAC-SHA256 over path and expiry."""

import base64
import hashlib
import hmac
from urllib.parse import quote, urlencode

from signaling.errors import Refused

PURPOSE = b"tokenim file links v1"


class Links:
    """Makes and checks `?exp=<UTC seconds>&sig=<base64url>` on paths below a base URL."""

    def __init__(self, key: bytes, base_url: str = "") -> None:
        """`key` is any secret all nodes share; `base_url` is a CDN's, or empty for this host."""
        # passed in
        self._base_url = base_url.rstrip("/")
        # made here
        self._key = hmac.digest(key, PURPOSE, hashlib.sha256)

    def sign(self, path: str, expires_at: int) -> str:
        """The link to `path`; `expires_at` is UTC milliseconds, rounded up to seconds."""
        exp = -(-expires_at // 1000)
        query = urlencode({"exp": exp, "sig": self._signature(path, str(exp))})
        return f"{self._base_url}{quote(path)}?{query}"

    def check(self, path: str, exp: str, sig: str, now: int) -> None:
        """Raises Refused forbidden when forged or over; `now` is UTC milliseconds."""
        if not hmac.compare_digest(sig.encode(), self._signature(path, exp).encode()):
            raise Refused("forbidden", "the link's signature is wrong")
        if int(exp) * 1000 <= now:  # its signature is ours, so it is a number
            raise Refused("forbidden", "the link has expired")

    def _signature(self, path: str, exp: str) -> str:
        digest = hmac.digest(self._key, f"{path}\n{exp}".encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
