"""ICE-lite: what one Transport answers to connectivity checks (RFC 8445 sections 2.5 and 7.3).

A lite agent sends no checks. It believes an address once a request from there carries the right
integrity, and sends to the address the peer nominated last.
"""

import secrets
from dataclasses import dataclass, field
from typing import Final

MAX_ADDRESSES: Final = 8
"""Verified addresses kept per Transport; the one heard longest ago goes first."""
_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
UFRAG_CHARS: Final = 16
PASSWORD_CHARS: Final = 24
"""RFC 8445 section 5.3 asks for 24 bits and 128 bits; the ufrag is our key, so it gets more."""


def _token(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


@dataclass(frozen=True, slots=True)
class Credentials:
    """One ICE generation's name and secret."""

    ufrag: str
    password: str = field(repr=False)

    @classmethod
    def new(cls) -> "Credentials":
        """Fresh random ones."""
        return cls(_token(UFRAG_CHARS), _token(PASSWORD_CHARS))


class IceLite:
    """The verified addresses of one Transport and the one it sends to. Times are monotonic."""

    __slots__ = ("_nominated", "addresses", "heard_at", "local", "previous", "selected")

    def __init__(self) -> None:
        self.local = Credentials.new()
        self.previous: Credentials | None = None
        """The generation before a restart: valid until the new one is checked."""
        self.addresses: dict[bytes, float] = {}
        self.selected: bytes | None = None
        self.heard_at: float | None = None
        """When anything authentic came last."""
        self._nominated = False

    def restart(self) -> Credentials:
        """A new generation (RFC 8445 section 9); media keeps flowing on the old addresses."""
        self.previous = self.local
        self.local = Credentials.new()
        self._nominated = False
        return self.local

    def password(self, ufrag: str) -> str | None:
        """The secret for a ufrag of ours, None for a stale one."""
        if ufrag == self.local.ufrag:
            return self.local.password
        if self.previous is not None and ufrag == self.previous.ufrag:
            return self.previous.password
        return None

    def checked(self, address: bytes, ufrag: str, nominate: bool, now: float) -> list[bytes]:
        """An authentic check came from `address`; returns addresses that are given up for it."""
        self.heard_at = now
        self.addresses.pop(address, None)
        self.addresses[address] = now
        current = ufrag == self.local.ufrag
        if current and self.previous is not None and nominate:
            self.previous = None
        if nominate and current:
            self._nominated = True
            self.selected = address
        elif self.selected is None or (current and not self._nominated):
            self.selected = address
        return self._evict()

    def _evict(self) -> list[bytes]:
        gone = []
        for address in list(self.addresses):
            if len(self.addresses) <= MAX_ADDRESSES:
                break
            if address != self.selected:
                del self.addresses[address]
                gone.append(address)
        return gone
