"""One setting from what a file, a variable or an option says: its type, its unit, its range."""

import typing
from pathlib import Path
from types import NoneType
from typing import Any

from signaling.units import duration_ms, size_bytes


def value_of(name: str, hint: Any, raw: Any) -> Any:
    """`raw` as the type `hint`; the name says the unit. Raises ValueError, TypeError."""
    args = typing.get_args(hint)
    if NoneType in args:
        return None if raw in (None, "") else value_of(name, args[0], raw)
    if typing.get_origin(hint) is tuple:
        return _several(name, args, raw)
    if hint is bool:
        return _truth(raw)
    if hint is int or hint is float:
        return _number(name, hint, raw)
    if hint is Path:
        return Path(raw).expanduser()
    if not isinstance(raw, str):
        raise TypeError(f"expected text, not {raw!r}")
    return raw


def _several(name: str, args: tuple[Any, ...], raw: Any) -> tuple[Any, ...]:
    parts = [part.strip() for part in raw.split(",")] if isinstance(raw, str) else list(raw)
    values = tuple(value_of(name, args[0], part) for part in parts if part != "")
    if Ellipsis not in args and len(values) != len(args):
        raise ValueError(f"expected {len(args)} values, not {len(values)}")
    return values


def _truth(raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    words = {"1": True, "true": True, "yes": True, "on": True}
    words |= {"0": False, "false": False, "no": False, "off": False}
    if not isinstance(raw, str) or raw.lower() not in words:
        raise ValueError(f"expected true or false, not {raw!r}")
    return words[raw.lower()]


def _number(name: str, hint: type, raw: Any) -> int | float:
    if isinstance(raw, bool):
        raise TypeError(f"expected a number, not {raw!r}")
    if isinstance(raw, str) and not raw.strip().replace(".", "", 1).isdigit():
        if name.endswith("_bytes"):
            raw = size_bytes(raw)
        elif name.endswith("_ms"):
            raw = duration_ms(raw)
        elif name.endswith("_s"):
            raw = duration_ms(raw) / 1000
    if isinstance(raw, float) and hint is int and not raw.is_integer():
        raise ValueError(f"expected a whole number, not {raw!r}")
    value: int | float = hint(raw)
    if value < 0:
        raise ValueError(f"cannot be negative: {raw!r}")
    return value
