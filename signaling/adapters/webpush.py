"""Web Push for browsers: encryption (RFC 8291, http_ece) and who is asking (VAPID, RFC 8292)."""

import base64
import binascii
from urllib.parse import urlsplit

import http_ece
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from signaling.auth.sealing import MasterKey
from signaling.errors import Refused

CURVE = ec.SECP256R1()
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of P-256's group (FIPS 186-4 D.1.2.3); private keys are 1 to ORDER - 1."""
SECRET_BYTES = 16  # RFC 8291 section 3.2
TOKEN_S = 12 * 3600  # at most 24 h (RFC 8292 section 2)


def encode(raw: bytes) -> str:
    """Base64url without padding, as browsers write it."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """With or without padding. Raises ValueError."""
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise ValueError("not base64url") from error


def encrypt(plain: bytes, p256dh: str, auth: str) -> bytes:
    """The body of one push, for one browser only. Raises ValueError for keys that are none."""
    sealed: bytes = http_ece.encrypt(
        plain,
        private_key=ec.generate_private_key(CURVE),
        dh=decode(p256dh),
        auth_secret=decode(auth),
        version="aes128gcm",
    )
    return sealed


def check_keys(p256dh: str, auth: str) -> None:
    """Raises Refused bad_request unless something can be encrypted for them."""
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(CURVE, decode(p256dh))
        secret = decode(auth)
    except ValueError as error:
        raise Refused("bad_request", f"`keys` are not those of a browser: {error}") from error
    if len(secret) != SECRET_BYTES:
        raise Refused("bad_request", f"`keys.auth` has {SECRET_BYTES} bytes")


class Vapid:
    """Each App's key pair: it follows from the master key, so it is made once, on every node."""

    def __init__(self, master: MasterKey, contact: str) -> None:
        # passed in
        self._master = master
        self._contact = contact
        # made here
        self._pairs: dict[str, tuple[ec.EllipticCurvePrivateKey, str]] = {}

    def public(self, app: str) -> str:
        """What browsers subscribe with: an uncompressed point, base64url."""
        return self._pair(app)[1]

    def authorization(self, app: str, endpoint: str, now_ms: int) -> str:
        """The header for one push service."""
        private, public = self._pair(app)
        claims = {
            "aud": "{0.scheme}://{0.netloc}".format(urlsplit(endpoint)),
            "exp": now_ms // 1000 + TOKEN_S,
            "sub": self._contact,
        }
        return f"vapid t={jwt.encode(claims, private, algorithm='ES256')}, k={public}"

    def _pair(self, app: str) -> tuple[ec.EllipticCurvePrivateKey, str]:
        if app not in self._pairs:
            number = int.from_bytes(self._master.derive(f"vapid {app}"), "big") % (ORDER - 1) + 1
            private = ec.derive_private_key(number, CURVE)
            point = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
            self._pairs[app] = (private, encode(point))
        return self._pairs[app]
