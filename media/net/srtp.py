"""SRTP in place: the only file that knows the inside of pylibsrtp and of aiortc's keyed sessions.

pylibsrtp's public `Session` copies every packet three times; its cffi binding works on memory we
own. `Cipher` holds one direction of one Transport.
"""

from typing import Any, Final

from aiortc.rtcdtlstransport import (
    SRTP_AEAD_AES_128_GCM,
    SRTP_AEAD_AES_256_GCM,
    SRTP_AES128_CM_SHA1_80,
    SRTP_PROFILES,
    RTCDtlsTransport,
    SRTPProtectionProfile,
)
from pylibsrtp import Session
from pylibsrtp._binding import ffi, lib

from media.drops import DropReason

TRAILER_BYTES: Final = 16 + 4
"""The longest tag, and the SRTCP index."""
PROFILES: Final[list[SRTPProtectionProfile]] = [
    profile
    for profile in (SRTP_AEAD_AES_128_GCM, SRTP_AEAD_AES_256_GCM, SRTP_AES128_CM_SHA1_80)
    if profile in SRTP_PROFILES
]
"""In the order we prefer: the 128-bit AEAD costs least. libsrtp may lack the AEAD ones."""

# srtp_err_status_t of libsrtp 2
_REPLAY: Final = frozenset((9, 10, 26))

protect = lib.srtp_protect
"""protect(context, pointer, length) encrypts in place and updates length[0]; 0 is success."""
unprotect = lib.srtp_unprotect
"""The reverse of `protect`."""


def new_length() -> Any:
    """An `int *` for `protect` and `unprotect`."""
    return ffi.new("int *")


def drop_reason(status: int) -> DropReason:
    """Why `unprotect` refused a packet."""
    return DropReason.SRTP_REPLAY if status in _REPLAY else DropReason.SRTP_AUTH


class Cipher:
    """One direction's keys. `context` is what `protect` and `unprotect` take."""

    __slots__ = ("_buffer", "_length", "_memory", "_session", "context")

    def __init__(self, session: Session) -> None:
        self._session = session  # owns the context's memory
        self.context: Any = session._srtp[0]
        self._length = ffi.new("int *")
        self._memory = ffi.new("char[]", 2048)
        self._buffer = ffi.buffer(self._memory)

    def protect_rtcp(self, packet: bytes) -> bytes | None:
        """The SRTCP packet, None when libsrtp refuses; for what is rare enough to copy."""
        return self._copying(lib.srtp_protect_rtcp, packet)

    def protect_rtp(self, packet: bytes) -> bytes | None:
        """The SRTP packet, None when libsrtp refuses."""
        return self._copying(lib.srtp_protect, packet)

    def unprotect_rtp(self, packet: bytes) -> bytes | None:
        """The RTP packet, None when it is not authentic or a replay."""
        return self._copying(lib.srtp_unprotect, packet)

    def unprotect_rtcp_copy(self, packet: bytes) -> bytes | None:
        """The RTCP packet, None when it is not authentic or a replay."""
        return self._copying(lib.srtp_unprotect_rtcp, packet)

    def _copying(self, function: Any, packet: bytes) -> bytes | None:
        if len(packet) + TRAILER_BYTES > len(self._buffer):
            return None
        self._buffer[0 : len(packet)] = packet
        self._length[0] = len(packet)
        if function(self.context, self._memory, self._length):
            return None
        return bytes(self._buffer[0 : self._length[0]])

    def unprotect_rtcp(self, pointer: Any, size: int) -> int:
        """Decrypt RTCP at `pointer` in place: its bytes, or -status."""
        self._length[0] = size
        status: int = lib.srtp_unprotect_rtcp(self.context, pointer, self._length)
        return -status if status else int(self._length[0])


def keyed(dtls: RTCDtlsTransport) -> tuple[Cipher, Cipher]:
    """(receiving, sending) ciphers of a DTLS transport that is connected."""
    return Cipher(dtls._rx_srtp), Cipher(dtls._tx_srtp)
