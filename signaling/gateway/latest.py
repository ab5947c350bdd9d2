"""What a slow client is told later: of each thing only how it is by then."""

from typing import Final

MAX_KEPT: Final = 2_000
"""Things kept for one socket; presence, which they are, is watched of half as many users."""


class Latest:
    """The newest frame of each name, until there is room for them again."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: dict[str, bytes] | None = None

    def keep(self, name: str, frame: bytes) -> bool:
        """In place of the last one of that name. False when there are too many names."""
        if self._kept is None:
            self._kept = {}
        self._kept.pop(name, None)
        if len(self._kept) >= MAX_KEPT:
            return False
        self._kept[name] = frame
        return True

    def take(self) -> dict[str, bytes]:
        """All of them, oldest first; nothing is kept any more."""
        kept, self._kept = self._kept, None
        return kept or {}
