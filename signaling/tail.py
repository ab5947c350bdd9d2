"""The log behind the hints: it fills gaps, and several nodes read its end every second.

Whatever the Broker lost comes this way; it is late, never missing (and never twice, see `order`).
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from signaling import topics as names
from signaling.errors import Refused
from signaling.fanout import Fanout
from signaling.model import Event
from signaling.ports import Hint
from signaling.tasks import Tasks

log = logging.getLogger(__name__)

PAGE = 500
PAGES_MAX = 200
"""One run reads at most this many pages; the next goes on from there."""


class LogReader(Protocol):
    """What is needed of the Log."""

    async def read(self, conversation: str, *, after: int = 0, limit: int) -> list[Event]:
        """Events above `after`, oldest first."""

    async def tail(self, position: int, limit: int) -> tuple[list[tuple[str, Event]], int]:
        """(app, event) after `position` in order of commit; -1 gives the end."""


class Tail:
    """Reads the log for the fan-out of one node."""

    def __init__(
        self,
        reader: LogReader,
        fanout: Callable[[], Fanout],
        on_member: Callable[[str, Mapping[str, Any]], None],
        tasks: Tasks,
    ) -> None:
        # passed in
        self._reader = reader
        self._fanout = fanout
        self._on_member = on_member
        self._tasks = tasks
        # made here
        self._filling: set[str] = set()
        self._position: int | None = None
        self.filled_total = 0

    async def start(self) -> None:
        """Take the log's end as what has been delivered."""
        self._position = await self.end()

    def missing(self, topic: str) -> None:
        """Events before the newest hint of a Conversation have not come: read them now."""
        if topic not in self._filling:
            self._filling.add(topic)
            self._tasks.spawn(self._fill(topic), f"fill {topic}")

    async def _fill(self, topic: str) -> None:
        fanout = self._fanout()
        try:
            for _ in range(PAGES_MAX):
                last = fanout.order.last(topic)
                if last is None:
                    return
                conversation = names.parse(topic).name
                events = await self._reader.read(conversation, after=last, limit=PAGE)
                for event in events:
                    self._give(topic, event)
                if len(events) < PAGE:
                    return
        except Refused as error:
            # The next hint of this Conversation, or the next round of the tail, asks again.
            log.warning("log of %s cannot be read: %s", topic, error.message)
        finally:
            self._filling.discard(topic)

    def _give(self, topic: str, event: Event) -> None:
        """Deliver unless a hint did meanwhile. What the log lacks does not exist: no gap."""
        fanout = self._fanout()
        if fanout.order.judge(topic, event.seq) != "old":
            self.filled_total += 1
            fanout.pass_on(topic, Hint(event=event.type, data=event.to_wire()))

    async def end(self) -> int:
        """The log's end now."""
        return (await self._reader.tail(-1, 0))[1]

    async def round(self) -> None:
        """Read what was committed since the last round and deliver what hints missed."""
        if self._position is None:
            await self.start()
            return
        for _ in range(PAGES_MAX):
            rows, self._position = await self._reader.tail(self._position, PAGE)
            for app, event in rows:
                self._late(app, event)
            if len(rows) < PAGE:
                return

    def _late(self, app: str, event: Event) -> None:
        fanout = self._fanout()
        topic = names.conversation(app, event.conversation)
        hint = Hint(event=event.type, data=event.to_wire())
        if fanout.anyone(topic):
            if not fanout.order.before(topic, event.position):
                fanout.logged(topic, hint)
        elif event.type in ("member:joined", "member:left"):
            self._on_member(app, hint.data)
