"""An app's own public keys, as a JSON Web Key Set (RFC 7517) in its settings."""

from typing import Any
from urllib.parse import urlsplit

import jwt

from signaling.errors import Refused

MAX_KEYS = 16
PUBLIC_ALGORITHMS = {"RS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}
"""Algorithm -> the `kty` its keys must have."""
PRIVATE_FIELDS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


MAX_URL_CHARS = 2000


def check_jwks_url(url: Any) -> None:
    """Raises Refused bad_request for anything but https without credentials in it."""
    if not isinstance(url, str) or len(url) > MAX_URL_CHARS or not _is_https(url):
        raise Refused("bad_request", "`jwks_url` is an https:// URL without user and password")


def _is_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - reading it checks it
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname) and parts.username is None


def find_key(jwks: dict[str, Any], algorithm: str, kid: str | None) -> jwt.PyJWK | None:
    """The first key for `algorithm`, and of this `kid` when the token names one."""
    for entry in jwks.get("keys", []):
        if algorithm in _algorithms(entry) and (kid is None or entry.get("kid") == kid):
            return jwt.PyJWK(entry, algorithm=algorithm)
    return None


def usable(jwks: dict[str, Any]) -> dict[str, Any]:
    """A published set without the keys that are for something else."""
    keys = jwks.get("keys")
    if not isinstance(keys, list):
        return jwks
    ours = [entry for entry in keys if isinstance(entry, dict) and _algorithms(entry)]
    return {"keys": [entry for entry in ours if entry.get("use", "sig") == "sig"][:MAX_KEYS]}


def check_jwks(jwks: Any) -> None:
    """Raises Refused bad_request for a set that could not verify a token, or holds a secret."""
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(keys, list) or len(keys) > MAX_KEYS:
        raise Refused("bad_request", f"`jwks` is {{keys: [...]}} with at most {MAX_KEYS} keys")
    for number, entry in enumerate(keys):
        where = f"jwks.keys[{number}]"
        if not isinstance(entry, dict) or not _algorithms(entry):
            raise Refused("bad_request", f"{where} is no key for {', '.join(PUBLIC_ALGORITHMS)}")
        if PRIVATE_FIELDS.intersection(entry):
            raise Refused("bad_request", f"{where} has private parts: keep them to yourself")
        try:
            for algorithm in _algorithms(entry):
                jwt.PyJWK(entry, algorithm=algorithm)
        except (jwt.PyJWKError, jwt.InvalidKeyError, ValueError) as error:
            raise Refused("bad_request", f"{where}: {error}") from error


def _algorithms(entry: dict[str, Any]) -> list[str]:
    return [
        algorithm
        for algorithm, kind in PUBLIC_ALGORITHMS.items()
        if entry.get("kty") == kind and entry.get("alg", algorithm) == algorithm
    ]
