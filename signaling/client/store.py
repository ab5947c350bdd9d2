"""What a client remembers between connections: its cursor and the last seq of each conversation."""

from typing import Protocol


class Store(Protocol):
    """Keep these across restarts and nothing is missed; what a crash interrupts comes again."""

    def cursor(self) -> str | None:
        """The last cursor, None before the first connection."""

    def set_cursor(self, cursor: str) -> None: ...

    def seq(self, conversation: str) -> int | None:
        """The last seq the program was done with, None for a conversation never seen."""

    def set_seq(self, conversation: str, seq: int) -> None: ...

    def known(self) -> dict[str, int]:
        """Every conversation's last seq."""


class MemoryStore:
    """Forgets with the process."""

    def __init__(self) -> None:
        self._cursor: str | None = None
        self._seqs: dict[str, int] = {}

    def cursor(self) -> str | None:
        """See Store."""
        return self._cursor

    def set_cursor(self, cursor: str) -> None:
        """See Store."""
        self._cursor = cursor

    def seq(self, conversation: str) -> int | None:
        """See Store."""
        return self._seqs.get(conversation)

    def set_seq(self, conversation: str, seq: int) -> None:
        """See Store."""
        self._seqs[conversation] = seq

    def known(self) -> dict[str, int]:
        """See Store."""
        return dict(self._seqs)
