"""Places of one node by itself."""

from collections import Counter


class LocalSeats:
    """So many for each key. Asks nobody."""

    def __init__(self, limit: int) -> None:
        # passed in
        self._limit = limit
        # made here
        self._taken: Counter[str] = Counter()

    async def take(self, key: str) -> bool:
        """False when all are taken."""
        if self._taken[key] >= self._limit:
            return False
        self._taken[key] += 1
        return True

    def leave(self, key: str) -> None:
        """One less."""
        self._taken[key] -= 1
        if not self._taken[key]:
            del self._taken[key]

    def __len__(self) -> int:
        return len(self._taken)
