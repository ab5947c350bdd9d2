"""STUN as an ICE-lite agent sees it: binding requests in, responses out (RFC 8489, RFC 8445).

Fifty browsers check every 2.5 seconds, so this is one walk over the attributes, and the integrity
is computed over the bytes as they came. Only ValueError escapes.
"""

import binascii
import enum
import hmac
import ipaddress
import secrets
from dataclasses import dataclass
from struct import Struct
from typing import Final

from media.wire.buffers import ReadBuffer

MAX_BYTES: Final = 1280
"""What fits any IPv6 path: a connectivity check is about a hundred bytes."""
HEADER_BYTES: Final = 20
MAGIC: Final = 0x2112_A442
COOKIE: Final = MAGIC.to_bytes(4, "big")
BINDING: Final = 0x0001
FINGERPRINT_XOR: Final = 0x5354_554E
INTEGRITY_BYTES: Final = 20

USERNAME: Final = 0x0006
MESSAGE_INTEGRITY: Final = 0x0008
ERROR_CODE: Final = 0x0009
XOR_MAPPED_ADDRESS: Final = 0x0020
PRIORITY: Final = 0x0024
USE_CANDIDATE: Final = 0x0025
FINGERPRINT: Final = 0x8028
ICE_CONTROLLED: Final = 0x8029
ICE_CONTROLLING: Final = 0x802A
MAX_USERNAME_BYTES: Final = 513
"""RFC 8489 section 14.3: fewer than 509 for the long-term kind; two ufrags of 256 and a colon."""

BAD_REQUEST: Final = (400, "Bad Request")
UNAUTHORIZED: Final = (401, "Unauthorized")
ROLE_CONFLICT: Final = (487, "Role Conflict")

_HEADER = Struct("!HHI12s")
_ATTRIBUTE = Struct("!HH")
_U16 = Struct("!H")
_U32 = Struct("!I")
_U64 = Struct("!Q")


class Class(enum.IntEnum):
    """The class bits of a message type (RFC 8489 section 5)."""

    REQUEST = 0x000
    INDICATION = 0x010
    RESPONSE = 0x100
    ERROR = 0x110


@dataclass(slots=True)
class Message:
    """A parsed STUN message about Binding. Nothing in it is to be believed before `authentic`."""

    kind: Class
    transaction: bytes
    username: str | None = None
    priority: int | None = None
    use_candidate: bool = False
    controlling: int | None = None
    """The tie-breaker of ICE-CONTROLLING, None when absent."""
    controlled: int | None = None
    error_code: int | None = None
    mapped: tuple[str, int] | None = None
    fingerprint: bool = False
    """A FINGERPRINT was there and is right (a wrong one does not parse)."""
    signed: bytes = b""
    """What MESSAGE-INTEGRITY covers."""
    signature: bytes = b""

    @property
    def is_request(self) -> bool:
        """Whether this asks for an answer."""
        return self.kind is Class.REQUEST


def is_stun(data: ReadBuffer) -> bool:
    """Whether `data` looks like STUN: the length, the two zero bits and the magic cookie."""
    return len(data) >= HEADER_BYTES and data[0] < 4 and bytes(data[4:8]) == COOKIE


def parse(data: ReadBuffer) -> Message:
    """The STUN Binding message in `data`. Raises ValueError for anything else."""
    if not is_stun(data) or len(data) > MAX_BYTES or len(data) % 4:
        raise ValueError("not a STUN message")
    raw = bytes(data)
    kind, length, _, transaction = _HEADER.unpack_from(raw)
    if length != len(raw) - HEADER_BYTES:
        raise ValueError("STUN length does not match")
    if kind & ~0x0110 != BINDING:
        raise ValueError("STUN method is not Binding")
    message = Message(Class(kind & 0x0110), transaction)
    at = HEADER_BYTES
    while at < len(raw):
        at = _attribute(message, raw, at)
    return message


def _attribute(message: Message, raw: bytes, at: int) -> int:
    """Read the attribute at `at`; returns where the next one starts."""
    kind, length = _ATTRIBUTE.unpack_from(raw, at)
    end: int = at + 4 + (length + 3 & ~3)
    if end > len(raw):
        raise ValueError("STUN attribute does not fit")
    value = raw[at + 4 : at + 4 + length]
    if kind == FINGERPRINT:
        _check_fingerprint(message, raw, at, value)
    elif kind == MESSAGE_INTEGRITY and not message.signature:
        if length != INTEGRITY_BYTES:
            raise ValueError("STUN integrity is not 20 bytes")
        message.signed, message.signature = _with_length(raw[:at], at + 4), value
    elif not message.signature:  # what follows the integrity is not covered (RFC 8489 14.5)
        _value(message, kind, value)
    return end


def _value(message: Message, kind: int, value: bytes) -> None:
    if kind == USERNAME:
        if len(value) > MAX_USERNAME_BYTES:
            raise ValueError("STUN username is too long")
        message.username = value.decode()
    elif kind == PRIORITY:
        message.priority = _number(_U32, value)
    elif kind == USE_CANDIDATE:
        message.use_candidate = True
    elif kind == ICE_CONTROLLING:
        message.controlling = _number(_U64, value)
    elif kind == ICE_CONTROLLED:
        message.controlled = _number(_U64, value)
    elif kind == XOR_MAPPED_ADDRESS:
        message.mapped = _unpack_address(value, message.transaction)
    elif kind == ERROR_CODE:
        if len(value) < 4:
            raise ValueError("STUN error code is cut off")
        message.error_code = (value[2] & 7) * 100 + value[3]


def _number(form: Struct, value: bytes) -> int:
    if len(value) != form.size:
        raise ValueError("STUN number of another size")
    return int(form.unpack(value)[0])


def _check_fingerprint(message: Message, raw: bytes, at: int, value: bytes) -> None:
    """RFC 8489 section 14.7: the CRC of everything before it, and it comes last."""
    if at + 8 != len(raw) or len(value) != 4 or _U32.unpack(value)[0] != _crc(raw[:at]):
        raise ValueError("STUN fingerprint does not match")
    message.fingerprint = True


def _crc(covered: bytes) -> int:
    return binascii.crc32(covered) ^ FINGERPRINT_XOR


def _with_length(covered: bytes, length: int) -> bytes:
    """`covered` with the length field as if the attribute that covers it were the last."""
    return covered[:2] + _U16.pack(length) + covered[4:]


def authentic(message: Message, password: str) -> bool:
    """Whether MESSAGE-INTEGRITY was made with `password`; in constant time, False when absent."""
    if not message.signature:
        return False
    made = hmac.digest(password.encode(), message.signed, "sha1")
    return hmac.compare_digest(made, message.signature)


def split_username(username: str) -> tuple[str, str]:
    """(receiver's ufrag, sender's ufrag) of a USERNAME (RFC 8445 section 7.2.2). ValueError."""
    ours, colon, theirs = username.partition(":")
    if not colon or not 4 <= len(ours) <= 256 or not theirs or len(theirs) > 256:
        raise ValueError("STUN username is not ufrag:ufrag")
    return ours, theirs


def binding_request(
    username: str,
    password: str,
    *,
    priority: int = 1,
    use_candidate: bool = False,
    controlling: int | None = None,
) -> tuple[bytes, bytes]:
    """(bytes, transaction) of a connectivity check, as the browser's side sends it."""
    transaction = secrets.token_bytes(12)
    body = _pack(USERNAME, username.encode()) + _pack(PRIORITY, _U32.pack(priority))
    if controlling is not None:
        body += _pack(ICE_CONTROLLING, _U64.pack(controlling))
    if use_candidate:
        body += _pack(USE_CANDIDATE, b"")
    return _seal(Class.REQUEST, transaction, body, password), transaction


def binding_success(transaction: bytes, mapped: tuple[str, int], password: str) -> bytes:
    """The answer to a good check: XOR-MAPPED-ADDRESS, integrity and fingerprint."""
    body = _pack(XOR_MAPPED_ADDRESS, _pack_address(mapped[0], mapped[1], transaction))
    return _seal(Class.RESPONSE, transaction, body, password)


def binding_error(transaction: bytes, error: tuple[int, str], password: str | None = None) -> bytes:
    """An error response; signed only where the request was (401 and 400 to a stranger are not)."""
    code, reason = error
    value = bytes([0, 0, code // 100, code % 100]) + reason.encode()
    return _seal(Class.ERROR, transaction, _pack(ERROR_CODE, value), password)


def _pack(kind: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(kind, len(value)) + value + bytes(-len(value) % 4)


def _seal(kind: Class, transaction: bytes, body: bytes, password: str | None) -> bytes:
    """Header, `body`, MESSAGE-INTEGRITY if there is a password, FINGERPRINT."""
    integrity = 4 + INTEGRITY_BYTES if password is not None else 0
    head = _HEADER.pack(BINDING | kind, len(body) + integrity, MAGIC, transaction)
    if password is not None:
        signature = hmac.digest(password.encode(), head + body, "sha1")
        body += _pack(MESSAGE_INTEGRITY, signature)
    covered = _with_length(head, len(body) + 8) + body
    return covered + _pack(FINGERPRINT, _U32.pack(_crc(covered)))


def _pad(transaction: bytes, size: int) -> int:
    """What addresses of `size` bytes are XORed with (RFC 8489 section 14.2)."""
    return int.from_bytes((COOKIE + transaction)[:size], "big")


def _pack_address(host: str, port: int, transaction: bytes) -> bytes:
    packed = ipaddress.ip_address(host).packed
    family = 1 if len(packed) == 4 else 2
    hidden = int.from_bytes(packed, "big") ^ _pad(transaction, len(packed))
    head = bytes([0, family]) + _U16.pack(port ^ MAGIC >> 16)
    return head + hidden.to_bytes(len(packed), "big")


def _unpack_address(value: bytes, transaction: bytes) -> tuple[str, int]:
    size = {1: 4, 2: 16}.get(value[1] if len(value) > 1 else 0)
    if size is None or len(value) != 4 + size:
        raise ValueError("STUN address of another size")
    port = _U16.unpack_from(value, 2)[0] ^ MAGIC >> 16
    plain = int.from_bytes(value[4:], "big") ^ _pad(transaction, size)
    return str(ipaddress.ip_address(plain.to_bytes(size, "big"))), port
