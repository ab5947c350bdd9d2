"""STUN as an ICE-lite agent sees it: binding requests in, responses out (RFC 8489, RFC 8445).

The codec is aioice's. This file bounds it, checks what must be checked before a request means
anything, and lets ValueError alone escape.
"""

from dataclasses import dataclass
from struct import error as StructError  # noqa: N812 - it is an exception class
from typing import Any, Final

from aioice import stun as codec

from media.wire.buffers import ReadBuffer

MAX_BYTES: Final = 1280
"""What fits any IPv6 path: a connectivity check is about a hundred bytes."""
HEADER_BYTES: Final = 20
COOKIE: Final = codec.COOKIE.to_bytes(4, "big")

BAD_REQUEST: Final = (400, "Bad Request")
UNAUTHORIZED: Final = (401, "Unauthorized")
ROLE_CONFLICT: Final = (487, "Role Conflict")


@dataclass(frozen=True, slots=True)
class Message:
    """A parsed STUN message about Binding. Nothing in it is to be believed before `authentic`."""

    kind: codec.Class
    transaction: bytes
    username: str | None
    priority: int | None
    use_candidate: bool
    controlling: int | None
    """The tie-breaker of ICE-CONTROLLING, None when absent."""
    controlled: int | None
    error_code: int | None
    mapped: tuple[str, int] | None
    fingerprint: bool
    """A FINGERPRINT was there and is right (a wrong one does not parse)."""
    raw: codec.Message

    @property
    def is_request(self) -> bool:
        """Whether this asks for an answer."""
        return self.kind is codec.Class.REQUEST


def is_stun(data: ReadBuffer) -> bool:
    """Whether `data` looks like STUN: the length, the two zero bits and the magic cookie."""
    return len(data) >= HEADER_BYTES and data[0] < 4 and bytes(data[4:8]) == COOKIE


def parse(data: ReadBuffer) -> Message:
    """The STUN Binding message in `data`. Raises ValueError for anything else."""
    if not is_stun(data) or not HEADER_BYTES <= len(data) <= MAX_BYTES or len(data) % 4:
        raise ValueError("not a STUN message")
    _check_lengths(data)
    try:
        raw = codec.parse_message(bytes(data))
    except (StructError, KeyError, IndexError, TypeError, OverflowError) as error:
        raise ValueError("malformed STUN attribute") from error
    if raw.message_method is not codec.Method.BINDING:
        raise ValueError("STUN method is not Binding")
    return _message(raw)


def _check_lengths(data: ReadBuffer) -> None:
    """Attributes must fill the message exactly: the codec reads one that runs over as shorter."""
    at = HEADER_BYTES
    while at < len(data):
        at += 4 + (((data[at + 2] << 8 | data[at + 3]) + 3) & ~3)
    if at != len(data):
        raise ValueError("STUN attribute does not fit")


def _message(raw: codec.Message) -> Message:
    got: dict[str, Any] = raw.attributes
    return Message(
        kind=raw.message_class,
        transaction=raw.transaction_id,
        username=got.get("USERNAME"),
        priority=got.get("PRIORITY"),
        use_candidate="USE-CANDIDATE" in got,
        controlling=got.get("ICE-CONTROLLING"),
        controlled=got.get("ICE-CONTROLLED"),
        error_code=raw.error_code,
        mapped=got.get("XOR-MAPPED-ADDRESS"),
        fingerprint="FINGERPRINT" in got,
        raw=raw,
    )


def authentic(message: Message, password: str) -> bool:
    """Whether MESSAGE-INTEGRITY was made with `password`; in constant time, False when absent."""
    return message.raw.check_message_integrity(password.encode())


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
    attributes: dict[str, Any] = {"USERNAME": username, "PRIORITY": priority}
    if controlling is not None:
        attributes["ICE-CONTROLLING"] = controlling
    if use_candidate:
        attributes["USE-CANDIDATE"] = None
    request = codec.Message(codec.Method.BINDING, codec.Class.REQUEST, attributes=attributes)
    request.add_message_integrity(password.encode())
    return bytes(request), request.transaction_id


def binding_success(transaction: bytes, mapped: tuple[str, int], password: str) -> bytes:
    """The answer to a good check: XOR-MAPPED-ADDRESS, integrity and fingerprint."""
    response = codec.Message(
        codec.Method.BINDING,
        codec.Class.RESPONSE,
        transaction_id=transaction,
        attributes={"XOR-MAPPED-ADDRESS": mapped[:2]},
    )
    response.add_message_integrity(password.encode())
    return bytes(response)


def binding_error(transaction: bytes, error: tuple[int, str], password: str | None = None) -> bytes:
    """An error response; signed only where the request was (401 and 400 to a stranger are not)."""
    response = codec.Message(
        codec.Method.BINDING,
        codec.Class.ERROR,
        transaction_id=transaction,
        attributes={"ERROR-CODE": error},
    )
    if password is None:
        response.add_fingerprint()
    else:
        response.add_message_integrity(password.encode())
    return bytes(response)
