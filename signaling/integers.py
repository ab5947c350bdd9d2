"""Integers that everything behind the edges can keep: SQL, MessagePack and most languages have 64
bits. JSON itself has no end.
"""

from typing import Any

from signaling.errors import Refused

LEAST, MOST = -(2**63), 2**63 - 1


def check_integers(value: Any) -> None:
    """Raises Refused bad_request when one anywhere in this JSON value has more than 64 bits."""
    waiting = [value]
    for one in waiting:  # it grows meanwhile
        kind = type(one)
        if kind is dict:
            waiting += one.values()
        elif kind is list:
            waiting += one
        elif kind is int and not LEAST <= one <= MOST:
            raise Refused("bad_request", "an integer has at most 64 bits; write it as text")
