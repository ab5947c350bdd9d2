"""Ports for servers that must be told theirs, and keep it over a restart.

A port that the kernel chose may be given to the next connection of anybody between the question
and the start, or while the server is down: even to a client of it that keeps coming back. These are
given to nobody who does not ask for them by number: Linux gives those from 32768 on, other systems
those from 49152.
"""

import random
import socket

LOWEST, END = 10_100, 32_768
"""10080 is one that browsers do not talk to."""


def free_ports(count: int) -> list[int]:
    """So many different ones, free a moment ago for TCP and for UDP."""
    candidates = iter(random.sample(range(LOWEST, END), END - LOWEST))
    return [next(port for port in candidates if _is_free(port)) for _ in range(count)]


def free_port() -> int:
    """One."""
    return free_ports(1)[0]


def _is_free(port: int) -> bool:
    kinds = (socket.SOCK_STREAM, socket.SOCK_DGRAM)
    return all(_may_bind(kind, port) for kind in kinds)


def _may_bind(kind: socket.SocketKind, port: int) -> bool:
    with socket.socket(type=kind) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
