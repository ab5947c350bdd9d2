"""Socket addresses as the kernel writes them: raw sockaddr bytes are the hot path's dict keys."""

import socket
import struct
from typing import Final

V4_BYTES: Final = 16
V6_BYTES: Final = 28
_V4 = struct.Struct("!H4s8x")
_V6 = struct.Struct("!HI16sI")
_FAMILY = struct.Struct("=H")
_MAPPED = b"\0" * 10 + b"\xff\xff"
"""Prefix of an IPv4 address in IPv6 form (RFC 4291 section 2.5.5.2)."""


def encode(family: int, host: str, port: int) -> bytes:
    """The sockaddr of (host, port) for a socket of `family`; an IPv6 socket takes IPv4 too.

    Raises ValueError for a host that is no address of that family.
    """
    try:
        if family == socket.AF_INET:
            return _FAMILY.pack(family) + _V4.pack(port, socket.inet_pton(family, host))
        host = host.partition("%")[0]
        packed = (
            socket.inet_pton(socket.AF_INET6, host)
            if ":" in host
            else _MAPPED + socket.inet_pton(socket.AF_INET, host)
        )
    except OSError as error:
        raise ValueError(f"not an address: {host!r}") from error
    return _FAMILY.pack(family) + _V6.pack(port, 0, packed, 0)


def decode(raw: bytes) -> tuple[str, int]:
    """(host, port) of a sockaddr; IPv4 in IPv6 form comes back as IPv4."""
    (family,) = _FAMILY.unpack_from(raw)
    if family == socket.AF_INET:
        port, packed = _V4.unpack_from(raw, 2)
        return socket.inet_ntop(socket.AF_INET, packed), port
    port, _flow, packed, _scope = _V6.unpack_from(raw, 2)
    if packed.startswith(_MAPPED):
        return socket.inet_ntop(socket.AF_INET, packed[12:]), port
    return socket.inet_ntop(socket.AF_INET6, packed), port


def sockaddr_tuple(raw: bytes) -> tuple[str, int] | tuple[str, int, int, int]:
    """What `socket.sendto` takes for a sockaddr, scope included."""
    (family,) = _FAMILY.unpack_from(raw)
    if family == socket.AF_INET:
        return decode(raw)
    port, flow, packed, _ = _V6.unpack_from(raw, 2)
    (scope,) = struct.unpack_from("=I", raw, 24)
    return socket.inet_ntop(socket.AF_INET6, packed), port, flow, scope
