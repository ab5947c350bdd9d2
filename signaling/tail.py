"""The log behind the hints: it fills gaps, and its end is read every second.

Whatever the Broker lost comes this way; it is late, never missing (and never twice, see `order`).
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from signaling import topics as names
from signaling.errors import Refused
from signaling.fanout import Fanout
from signaling.model import MEMBERSHIP, Event
from signaling.ports import End, Hint
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

    async def ends(self, position: int, upto: int) -> list[End]:
        """How far each conversation came after `position`, up to another one."""


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
        self._again: set[str] = set()
        """Topics with a gap that showed while one was being filled."""
        self._position: int | None = None
        self._end = 0
        self.filled_total = 0

    async def start(self) -> None:
        """Take the log's end as what has been delivered."""
        self._position = self._end = await self.end()

    def missing(self, topic: str) -> None:
        """Events before the newest hint of a Conversation have not come: read them now."""
        if topic in self._filling:
            self._again.add(topic)
        else:
            self._filling.add(topic)
            self._tasks.spawn(self._fill(topic), f"fill {topic}")

    async def _fill(self, topic: str) -> None:
        """Read on for as long as gaps show: what is read may end before the newest of them."""
        try:
            while True:
                self._again.discard(topic)
                await self._read_on(topic)
                if topic not in self._again:
                    return
        except Refused as error:
            # The next hint of this Conversation, or the next round of the tail, asks again.
            log.warning("log of %s cannot be read: %s", topic, error.message)
        finally:
            self._filling.discard(topic)
            self._again.discard(topic)

    async def _read_on(self, topic: str) -> None:
        fanout, conversation = self._fanout(), names.parse(topic).name
        for _ in range(PAGES_MAX):
            last = fanout.order.last(topic)
            if last is None:
                return
            events = await self._reader.read(conversation, after=last, limit=PAGE)
            for event in events:
                self._give(topic, event)
            if len(events) < PAGE:
                return

    def _give(self, topic: str, event: Event) -> None:
        """Deliver unless a hint did meanwhile. What the log lacks does not exist: no gap."""
        fanout = self._fanout()
        if fanout.order.judge(topic, event.seq) != "old":
            self.filled_total += 1
            fanout.pass_on(topic, Hint(event=event.type, data=event.to_wire()))

    async def end(self) -> int:
        """The log's end now."""
        return (await self._reader.tail(-1, 0))[1]

    async def sweep(self) -> None:
        """Deliver what had been committed before the last sweep and no hint brought since: a hint
        that is merely on its way is let come, behind the ack of whoever caused it.
        """
        upto, self._end = self._end, await self.end()
        if self._position is not None and upto > self._position and await self._whole(upto):
            self._position = max(self._position, upto)
        await self.round(upto)

    async def _whole(self, upto: int) -> bool:
        """Whether hints brought all of it, as they nearly always do: then it need not be read."""
        assert self._position is not None
        ends = await self._reader.ends(self._position, upto)
        return not any(map(self._behind, ends))

    def _behind(self, end: End) -> bool:
        fanout = self._fanout()
        topic = names.conversation(end.app, end.conversation)
        if not fanout.anyone(topic):
            return end.membership
        last = fanout.order.last(topic)
        return last is None or last < end.seq

    async def round(self, upto: int | None = None) -> None:
        """Read what was committed since the last round, up to a position, and deliver what hints
        missed.
        """
        if self._position is None:
            await self.start()
            return
        for _ in range(PAGES_MAX):
            if upto is not None and upto <= self._position:
                return
            rows, reached = await self._reader.tail(self._position, PAGE)
            due = [(app, event) for app, event in rows if upto is None or event.position <= upto]
            for app, event in due:
                self._late(app, event)
            self._position = reached if upto is None else min(reached, upto)
            if len(due) < PAGE:
                return

    def _late(self, app: str, event: Event) -> None:
        fanout = self._fanout()
        topic = names.conversation(app, event.conversation)
        if fanout.anyone(topic):
            if fanout.order.judge(topic, event.seq) != "old":
                fanout.logged(topic, Hint(event=event.type, data=event.to_wire()))
        elif event.type in MEMBERSHIP:
            self._on_member(app, event.to_wire())
