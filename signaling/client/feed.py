"""Events of the logs in order, once: what arrives live, with the gaps read from history."""

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from signaling.client.store import Store

Event = dict[str, Any]
ReadHistory = Callable[[str, int], Awaitable[list[Event]]]
"""(conversation, after) -> the next events of it, oldest first; empty at the end."""


class Feed:
    """Takes events in any order and hands them on by the gap rule (docs/protocol.md).

    Begins where the store is; the store moves on later, when the program has the events.
    """

    def __init__(self, store: Store, read_history: ReadHistory) -> None:
        # passed in
        self._store = store
        self._read_history = read_history
        # made here
        self._ready: deque[Event] = deque()
        self._seqs: dict[str, int] = {}
        """The last seq handed on, of conversations that had one since the start."""

    def seq(self, conversation: str) -> int | None:
        """The last seq handed on, None for a conversation never seen."""
        known = self._seqs.get(conversation)
        return self._store.seq(conversation) if known is None else known

    async def begin(self, conversation: str, head: int) -> None:
        """Follow a conversation from `head` on; one that is followed already is read up to it."""
        last = self.seq(conversation)
        if last is None:
            self._seqs[conversation] = head
            self._store.set_seq(conversation, head)
        elif last < head:
            await self.catch_up(conversation)

    async def take(self, event: Event) -> None:
        """Accept one event; what is missing before it is read first."""
        conversation, seq = event["conversation"], event["seq"]
        last = self.seq(conversation)
        if last is None:
            # A conversation that is new to us: we were added with this very event.
            last = seq - 1
        if seq > last + 1:
            last = await self._fill(conversation, last, seq)
        if seq == last + 1:
            self._hand_on(event)

    async def catch_up(self, conversation: str) -> None:
        """Read to the end of a conversation's log."""
        while events := await self._read_history(conversation, self.seq(conversation) or 0):
            for event in events:
                self._hand_on(event)

    async def _fill(self, conversation: str, last: int, until: int) -> int:
        while last + 1 < until:
            events = await self._read_history(conversation, last)
            wanted = [event for event in events if event["seq"] < until]
            if not wanted:
                return until - 1  # the rest is hidden from us, or gone by retention
            for event in wanted:
                self._hand_on(event)
            last = wanted[-1]["seq"]
        return last

    def _hand_on(self, event: Event) -> None:
        self._seqs[event["conversation"]] = event["seq"]
        self._ready.append(event)

    def drain(self) -> list[Event]:
        """What is in order and not handed on yet."""
        events = list(self._ready)
        self._ready.clear()
        return events
