"""Byte ranges of HTTP: Range and Content-Range as values (RFC 9110 section 14). Pure."""

import re
from typing import NamedTuple

_RANGE = re.compile(r"(\d{0,18})-(\d{0,18})", re.ASCII)
_CONTENT_RANGE = re.compile(r"bytes (?:(\d{1,18})-(\d{1,18})|\*)/(\d{1,18})", re.ASCII)


class Span(NamedTuple):
    """Bytes [start, end)."""

    start: int
    end: int


class Unsatisfiable(ValueError):
    """A range that no byte of the representation falls into: 416."""


def wanted(header: str | None, size: int) -> Span | None:
    """The one range asked for, cut to the size; None: send everything.

    Several ranges and what is not understood are answered with everything, as section 14.2 allows.
    Raises Unsatisfiable.
    """
    unit, _, spec = (header or "").partition("=")
    match = _RANGE.fullmatch(spec.strip())
    if unit.strip().lower() != "bytes" or match is None or match[0] == "-":
        return None
    first, last = match[1], match[2]
    if not first:
        return _suffix(int(last), size)
    if last and int(last) < int(first):
        return None
    if int(first) >= size:
        raise Unsatisfiable("the range begins after the end")
    return Span(int(first), min(int(last) + 1, size) if last else size)


def _suffix(length: int, size: int) -> Span:
    if length == 0 or size == 0:
        raise Unsatisfiable("the range is empty")
    return Span(max(0, size - length), size)


class Piece(NamedTuple):
    """What a PUT carries: bytes [start, end) of `size`; start None only asks how far it is."""

    start: int | None
    end: int
    size: int


def carried(header: str) -> Piece:
    """`Content-Range: bytes 0-9/100`, or `bytes */100` to ask. Raises ValueError."""
    match = _CONTENT_RANGE.fullmatch(header.strip())
    if match is None:
        raise ValueError("expected Content-Range: bytes first-last/size, or bytes */size")
    size = int(match[3])
    if match[1] is None:
        return Piece(None, 0, size)
    start, end = int(match[1]), int(match[2]) + 1
    if not start < end <= size:
        raise ValueError("Content-Range does not fit its own size")
    return Piece(start, end, size)


def none_match(header: str | None, etag: str) -> bool:
    """Whether If-None-Match names this entity (weak comparison): 304."""
    if header is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return "*" in tags or etag in tags
