"""Socket.IO v5 packets, bytes <-> values, with limits. Pure: no socket, no clock.

`<type>[<attachments>-][<namespace>,][<ack id>][JSON]`; what Engine.IO puts before it (`4`) is kept
here too, so that an encoded packet is the finished payload of a WebSocket message.
"""

import re
from collections.abc import Container
from typing import Any, Final

import msgspec

from signaling.gateway.config import GatewayConfig
from signaling.gateway.frames import BINARY, TEXT, build

CONNECT: Final = 0
DISCONNECT: Final = 1
EVENT: Final = 2
ACK: Final = 3
CONNECT_ERROR: Final = 4
BINARY_EVENT: Final = 5
BINARY_ACK: Final = 6

RESERVED: Final = frozenset(
    {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}
)
"""Names that mean something to Socket.IO itself; nobody may send them as events."""

MAX_NAMESPACE_BYTES: Final = 256
_SHAPE = re.compile(
    rb"4([0-6])(?:([0-9]{1,9})-)?(?:(/[^,?]{0,256})(?:\?[^,]{0,1024})?(?:,|\Z))?([0-9]{1,19})?",
)
_LONE_SURROGATE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)

_NAMES: Final = frozenset({str, int})
_EVENTS: Final = frozenset({EVENT, BINARY_EVENT})
_STRANGERS: Final = frozenset({CONNECT, DISCONNECT})
"""What may come for a namespace that is not connected: the way in, and a late good-bye."""

_encode = msgspec.json.Encoder().encode
_decode_list = msgspec.json.Decoder(list[Any]).decode
_decode_object = msgspec.json.Decoder(dict[str, Any]).decode


class Packet:
    """One packet of a client; `data` is the list of an event or ack, or the auth of a CONNECT."""

    __slots__ = ("ack", "attachments", "data", "namespace", "type")

    def __init__(
        self, type_: int, namespace: bytes, ack: bytes | None, data: Any, attachments: int
    ) -> None:
        self.type = type_
        self.namespace = namespace
        self.ack = ack
        self.data = data
        self.attachments = attachments


def parse(message: bytes, config: GatewayConfig, connected: Container[bytes]) -> Packet:
    """A text message beginning with Engine.IO's `4`. Raises ValueError, and only that.

    Of a namespace that is not among those `connected` nothing but a CONNECT is decoded.
    """
    match = _SHAPE.match(message)
    if match is None:
        raise ValueError("not a packet")
    kind, count, namespace, ack = match.groups()
    if namespace is not None:
        namespace.decode()  # it comes back in the answer, which must be text
    type_, space = kind[0] - 48, namespace or b"/"
    if type_ not in _STRANGERS and space not in connected:
        raise ValueError("not connected to that namespace")
    attachments = 0
    if count is not None or type_ >= BINARY_EVENT:
        attachments = _attachments(type_, count, config.max_attachments)
    body = message[match.end() :]
    # Count brackets first: nearly every packet has fewer than the limit in all.
    if body.count(b"[") + body.count(b"{") > config.max_depth:
        check_nesting(body, config.max_depth, config.max_containers)
    data = _event(body) if type_ in _EVENTS else _body(type_, ack, body)
    return Packet(type_, space, ack, data, attachments)


def _attachments(type_: int, count: bytes | None, max_attachments: int) -> int:
    if count is None or type_ not in {BINARY_EVENT, BINARY_ACK}:
        raise ValueError("attachments where none belong, or none where some do")
    if not 1 <= int(count) <= max_attachments:
        raise ValueError("too many attachments, or none")
    return int(count)


def _event(body: bytes) -> list[Any]:
    data = _decode(body)
    if not data or type(data[0]) not in _NAMES or data[0] in RESERVED:
        raise ValueError("no event name, or a reserved one")
    return data


def _body(type_: int, ack: bytes | None, body: bytes) -> Any:
    if type_ in {ACK, BINARY_ACK}:
        if ack is None:
            raise ValueError("ack without id")
        return _decode(body)
    if type_ == CONNECT:
        return _decode_object(body) if body else {}
    if type_ == DISCONNECT and not body:
        return None
    raise ValueError("a packet only servers send")


def _decode(body: bytes) -> list[Any]:
    try:
        return _decode_list(body)
    except msgspec.DecodeError:
        # A text cut in the middle of an emoji: legal JSON, not legal Unicode. JavaScript sends it.
        mended = _LONE_SURROGATE.sub(rb"\\ufffd", body)
        if mended == body:
            raise
        return _decode_list(mended)


_NO_STRUCTURE = bytes(set(range(256)) - set(b'"[]{}'))
_SQUARE = bytes.maketrans(b"{}", b"[]")


def check_nesting(body: bytes, max_depth: int, max_containers: int) -> None:
    """Raises ValueError for more than the decoder is to be given.

    In passes over all the bytes at once, a hundred times as quick as a loop. It goes by quotes and
    brackets, not by syntax: whatever it lets pass the decoder still judges.
    """
    rest = body.replace(rb"\\", b"").replace(rb"\"", b"").translate(None, _NO_STRUCTURE)
    rest = rest.replace(b'""', b"")
    rest = b"".join(rest.split(b'"')[::2]).translate(_SQUARE)
    if rest.count(b"[") > max_containers:
        raise ValueError("too many arrays and objects")
    for _ in range(max_depth):  # each round takes the innermost ones away
        rest = rest.replace(b"[]", b"")
    if rest:
        raise ValueError("nested too deeply, or not closed")


def fill(data: Any, attachments: list[bytes]) -> Any:
    """Put attachments where their placeholders stand. Raises ValueError for a wrong number.

    Each goes to one place: whoever sends the value on would multiply it otherwise.
    """
    return _fill(data, dict(enumerate(attachments)))


def _fill(data: Any, left: dict[int, bytes]) -> Any:
    if isinstance(data, list):
        return [_fill(item, left) for item in data]
    if not isinstance(data, dict):
        return data
    if data.get("_placeholder") is not True:
        return {key: _fill(value, left) for key, value in data.items()}
    number = data.get("num")
    if type(number) is not int or number not in left:
        raise ValueError("no such attachment, or not any more")
    return left.pop(number)


def take(data: Any, attachments: list[bytes]) -> Any:
    """The other way: replace bytes by placeholders, appending them to `attachments`."""
    if isinstance(data, list | tuple):
        return [take(item, attachments) for item in data]
    if isinstance(data, dict):
        return {key: take(value, attachments) for key, value in data.items()}
    if isinstance(data, bytes | bytearray):
        attachments.append(bytes(data))
        return {"_placeholder": True, "num": len(attachments) - 1}
    return data


def event(name: str, data: Any) -> bytes:
    """The WebSocket frame of an event of the default namespace. NaN and infinities become null."""
    return build(TEXT, b"42" + _encode((name, data)))


def ack(number: bytes, result: Any) -> bytes:
    """The frame that acks request `number` of the default namespace with one object."""
    return build(TEXT, b"43%b[%b]" % (number, _encode(result)))


def control(type_: int, namespace: bytes, data: Any = None) -> bytes:
    """The frame of a CONNECT, CONNECT_ERROR or DISCONNECT."""
    body = b"" if data is None else _encode(data)
    return build(TEXT, b"4%d%b%b" % (type_, _prefix(namespace), body))


def frames(type_: int, namespace: bytes, number: bytes | None, data: list[Any]) -> list[bytes]:
    """The frames of any event or ack: its text, then its attachments if it holds bytes."""
    attachments: list[bytes] = []
    body = _encode(take(data, attachments))
    count = b""
    if attachments:
        type_ += BINARY_EVENT - EVENT
        count = b"%d-" % len(attachments)
    text = b"4%d%b%b%b%b" % (type_, count, _prefix(namespace), number or b"", body)
    return [build(TEXT, text), *(build(BINARY, item) for item in attachments)]


def _prefix(namespace: bytes) -> bytes:
    return b"" if namespace == b"/" else namespace + b","
