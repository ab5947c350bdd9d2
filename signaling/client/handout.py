"""Events on their way to the program, and the place the store keeps of them."""

import asyncio
from collections import deque
from typing import Any

from signaling.client.store import Store

Event = dict[str, Any]


class Handout:
    """One line of events. The store moves on only when the program is done with an event, so that
    what a crash interrupts is handed out again.
    """

    def __init__(self, store: Store, limit: int) -> None:
        # passed in
        self._store = store
        self._limit = limit
        # made here
        self._line: deque[Event | str] = deque()
        """Events, and cursors of which everything before them is in the line before them."""
        self._out: Event | None = None
        """Handed out, and perhaps not done with."""
        self._stirred = asyncio.Event()
        self._room = asyncio.Event()
        self._over = False
        self._error: BaseException | None = None

    async def put(self, event: Event) -> None:
        """To the end of the line; waits while that is too long. Nothing more after the end."""
        while len(self._line) >= self._limit and not self._over:
            self._room.clear()
            await self._room.wait()
        if not self._over:
            self._line.append(event)
            self._stirred.set()

    def mark(self, cursor: str) -> None:
        """What was put until now is before this cursor."""
        if self._over:
            return
        if self._line and isinstance(self._line[-1], str):
            self._line.pop()
        self._line.append(cursor)
        if self._out is None:
            self._pass_cursors()

    async def take(self) -> Event | None:
        """The next event; None at the end. The one before is done with. Raises what ended it."""
        self.done()
        while not self._line:
            if self._over:
                if self._error is not None:
                    raise self._error
                return None
            self._stirred.clear()
            await self._stirred.wait()
        event = self._line.popleft()
        assert not isinstance(event, str), "cursors are passed as soon as they are first"
        self._out = event
        self._room.set()
        return event

    def done(self) -> None:
        """The program is through with what it was handed last."""
        if self._out is not None:
            self._store.set_seq(self._out["conversation"], self._out["seq"])
            self._out = None
        self._pass_cursors()

    def end(self, error: BaseException | None) -> None:
        """Nothing more comes; what waits is still handed out."""
        self._over, self._error = True, error
        self._stirred.set()
        self._room.set()

    def _pass_cursors(self) -> None:
        while self._line and isinstance(self._line[0], str):
            self._store.set_cursor(str(self._line.popleft()))
