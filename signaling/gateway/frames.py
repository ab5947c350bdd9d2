"""WebSocket frames, bytes <-> values (RFC 6455). Pure: no socket, no clock.

Outgoing packets travel through the gateway as finished frames: a server's frames are not masked
(section 5.1), so one `bytes` object serves every recipient of a fan-out.
"""

from typing import Final

from aiohttp._websocket.helpers import websocket_mask

TEXT: Final = 1
BINARY: Final = 2
CLOSE: Final = 8
PING: Final = 9
PONG: Final = 10
CONTINUATION: Final = 0

CODE_NORMAL: Final = 1000
CODE_GOING_AWAY: Final = 1001
CODE_PROTOCOL: Final = 1002
CODE_NO_TEXT: Final = 1007
CODE_POLICY: Final = 1008
CODE_TOO_BIG: Final = 1009

MAX_CONTROL_BYTES: Final = 125
_CLIENT_CODES: Final = frozenset({1000, 1001, 1002, 1003, *range(1007, 1015), *range(3000, 5000)})
"""Close codes that may be sent (section 7.4, and the registry)."""


class FrameError(ValueError):
    """Bytes that are not the next frame of a client; `code` is the close code to answer with."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def build(opcode: int, payload: bytes) -> bytes:
    """One final, unmasked frame."""
    size = len(payload)
    if size < 126:
        return bytes((0x80 | opcode, size)) + payload
    if size < 65536:
        return bytes((0x80 | opcode, 126)) + size.to_bytes(2, "big") + payload
    return bytes((0x80 | opcode, 127)) + size.to_bytes(8, "big") + payload


def build_close(code: int, reason: str) -> bytes:
    """A close frame; the reason is cut to what a control frame holds."""
    return build(CLOSE, code.to_bytes(2, "big") + reason.encode()[: MAX_CONTROL_BYTES - 2])


def split(frame: bytes) -> tuple[int, bytes]:
    """Opcode and payload of a frame made by `build`."""
    size = frame[1]
    start = 2 if size < 126 else 4 if size == 126 else 10
    return frame[0] & 0x0F, frame[start:]


def unmask(payload: bytes, key: bytes) -> bytes:
    """XOR with the repeated 4-byte key (section 5.3), by aiohttp's compiled loop."""
    data = bytearray(payload)
    websocket_mask(key, data)
    return bytes(data)


def _long_size(field: bytes) -> int:
    """A length in its long form, which only lengths have that need it (section 5.2)."""
    size = int.from_bytes(field, "big")
    if size < (126 if len(field) == 2 else 65536):
        raise FrameError(CODE_PROTOCOL, "a length longer than it need be")
    return size


def _check(opcode: int, payload: bytes) -> None:
    """A whole message or control frame."""
    if opcode == CLOSE:
        _check_close(payload)
    elif opcode == TEXT:
        _check_text(payload)


def _check_text(payload: bytes) -> None:
    """Text is UTF-8 (section 8.1)."""
    try:
        payload.decode()
    except UnicodeDecodeError:
        raise FrameError(CODE_NO_TEXT, "text that is no UTF-8") from None


def _check_close(payload: bytes) -> None:
    """Nothing, or a code and perhaps a reason (section 5.5.1)."""
    if not payload:
        return
    if len(payload) == 1 or int.from_bytes(payload[:2], "big") not in _CLIENT_CODES:
        raise FrameError(CODE_PROTOCOL, "no close code")
    _check_text(payload[2:])


class FrameReader:
    """Cuts a client's bytes into messages. Raises FrameError, and only that; then it is finished.

    Holds at most `max_bytes` plus one read: the length in a frame's header is judged before its
    payload is awaited, and the parts of a message count together.
    """

    __slots__ = (
        "_max_bytes",
        "_max_fragments",
        "_need",
        "_opcode",
        "_parts",
        "_parts_bytes",
        "_rest",
    )

    def __init__(self, max_bytes: int, max_fragments: int) -> None:
        self._max_bytes = max_bytes
        self._max_fragments = max_fragments
        self._rest = bytearray()
        self._need = 0
        """Bytes of `_rest` before it is worth a look: tiny reads of a long frame cost no copies."""
        self._opcode = 0
        self._parts: list[bytes] | None = None
        self._parts_bytes = 0

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Complete messages and control frames as (opcode, payload), in order."""
        if self._rest:
            self._rest += data
            if len(self._rest) < self._need:
                return []
            data = bytes(self._rest)
            self._rest.clear()
        messages: list[tuple[int, bytes]] = []
        start, end = 0, len(data)
        self._need = 0
        while end - start >= 6:
            taken = self._frame(data, start, end, messages)
            if not taken:
                break
            start += taken
        if start < end:
            self._rest += data[start:]
        return messages

    def _frame(self, data: bytes, start: int, end: int, messages: list[tuple[int, bytes]]) -> int:
        """Read one frame; how many bytes it took, 0 when it is not complete."""
        first = data[start]
        size = data[start + 1] - 128
        if size < 0:
            raise FrameError(CODE_PROTOCOL, "frame not masked")
        head = start + 2
        if size > MAX_CONTROL_BYTES:
            width = 2 if size == 126 else 8
            head += width
            if end < head:
                return 0
            size = _long_size(data[head - width : head])
        if first & 0x70 or (first & 8 and (size > MAX_CONTROL_BYTES or first < 0x80)):
            raise FrameError(CODE_PROTOCOL, "reserved bits or a long control frame")
        if size > self._max_bytes:
            raise FrameError(CODE_TOO_BIG, "message too big")
        body = head + 4
        if end < body + size:
            self._need = body + size - start
            return 0
        payload = unmask(data[body : body + size], data[head:body])
        if first > 0x80 | PONG:
            raise FrameError(CODE_PROTOCOL, "unknown opcode")
        if first & 8 or (self._parts is None and 0x81 <= first <= 0x82):
            if first == 0x80 | CLOSE or not payload.isascii():
                _check(first & 0x0F, payload)
            messages.append((first & 0x0F, payload))
        else:
            self._fragment(first, payload, messages)
        return body + size - start

    def _fragment(self, first: int, payload: bytes, messages: list[tuple[int, bytes]]) -> None:
        """One part of a message cut into several frames (section 5.4)."""
        opcode = first & 0x0F
        if self._parts is None:
            if opcode not in {TEXT, BINARY}:
                raise FrameError(CODE_PROTOCOL, "continuation of nothing, or unknown opcode")
            self._opcode, self._parts, self._parts_bytes = opcode, [], 0
        elif opcode != CONTINUATION:
            raise FrameError(CODE_PROTOCOL, "a new message inside another")
        parts = self._parts
        parts.append(payload)
        if len(parts) > self._max_fragments:
            raise FrameError(CODE_POLICY, "too many fragments")
        self._parts_bytes += len(payload)
        if self._parts_bytes > self._max_bytes:
            raise FrameError(CODE_TOO_BIG, "message too big")
        if first & 0x80:
            self._parts = None
            whole = b"".join(parts)
            _check(self._opcode, whole)
            messages.append((self._opcode, whole))
