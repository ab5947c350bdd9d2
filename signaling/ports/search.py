"""Finding messages."""

from typing import Protocol

from signaling.model import Event


class Search(Protocol):
    """Finds messages by what they say. A projection of the log; `index` catches up."""

    async def index(self) -> int:
        """Read on in the log; how many events were read."""

    async def find(
        self, app: str, user: str, query: str, conversation: str | None, before: int, limit: int
    ) -> tuple[list[Event], int | None]:
        """Messages that contain every word of `query`, in any order, and that the user may see,
        newest first, at positions below `before`; and where to go on, None at the end.
        """
