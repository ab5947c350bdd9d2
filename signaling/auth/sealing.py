"""The master key: what is sealed under it, and the keys derived from it."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE_BYTES = 12  # NIST SP 800-38D, 8.2.2: random nonces of 96 bits
VERSION = b"\x01"


class SealBroken(Exception):
    """A sealed value that this master key did not seal, or not for this place."""


class MasterKey:
    """Seals secrets that must be read back, each bound to the place it is kept at."""

    def __init__(self, text: str) -> None:
        self._root = text.encode()
        self._cipher = AESGCM(self.derive("seal"))

    def derive(self, purpose: str) -> bytes:
        """A 32-byte key for one purpose (RFC 5869); the same on every node."""
        hkdf = HKDF(algorithm=SHA256(), length=32, salt=b"tokenim", info=purpose.encode())
        return hkdf.derive(self._root)

    def seal(self, plain: bytes, place: str) -> bytes:
        """Ciphertext that opens only at `place` (an id), so that rows cannot be swapped."""
        nonce = os.urandom(NONCE_BYTES)
        return VERSION + nonce + self._cipher.encrypt(nonce, plain, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """The plain bytes. Raises SealBroken."""
        if sealed[:1] != VERSION or len(sealed) <= 1 + NONCE_BYTES:
            raise SealBroken("not a sealed value")
        nonce, body = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, body, place.encode())
        except InvalidTag as error:
            raise SealBroken("sealed under another master key, or for another place") from error
