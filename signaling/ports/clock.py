"""The time."""

from typing import Protocol


class Clock(Protocol):
    """UTC milliseconds; a fake in tests."""

    def __call__(self) -> int: ...
