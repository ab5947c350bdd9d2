"""Durations and sizes as people write them: `25s`, `1.5h`, `32KiB`, `10MB`."""

import re

_DURATION_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_SIZE_BYTES = {
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
    "tib": 2**40,
}
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)", re.ASCII)


def duration_ms(text: str) -> int:
    """Milliseconds of `500ms`, `5s`, `1m`, `2h` or `1d`. Raises ValueError."""
    return _scaled(text, _DURATION_MS, "a duration such as 500ms, 5s, 10m, 2h or 1d")


def size_bytes(text: str) -> int:
    """Bytes of `512B`, `32KiB`, `10MB` or `2GiB`. Raises ValueError."""
    return _scaled(text, _SIZE_BYTES, "a size such as 512B, 32KiB, 10MB or 2GiB")


def _scaled(text: str, units: dict[str, int], expected: str) -> int:
    match = _QUANTITY.fullmatch(text.strip())
    factor = units.get(match[2].lower()) if match else None
    if match is None or factor is None:
        raise ValueError(f"expected {expected}, not {text!r}")
    return round(float(match[1]) * factor)
