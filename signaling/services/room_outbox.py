"""What Rooms have to say, in order: the SFU reports without waiting, the Broker must be awaited."""

import asyncio
import logging
from typing import Any

from signaling import topics
from signaling.ports import Broker, Hint
from signaling.tasks import Tasks

log = logging.getLogger(__name__)

QUEUE_MAX = 10_000


class RoomOutbox:
    """One queue and one task for the Rooms of this node."""

    def __init__(self, broker: Broker, tasks: Tasks) -> None:
        self._broker = broker
        self._tasks = tasks
        self._queue: asyncio.Queue[tuple[str, Hint]] = asyncio.Queue(QUEUE_MAX)
        self.dropped_total = 0

    def start(self) -> None:
        """Begin to publish."""
        self._tasks.spawn(self._run(), "room outbox")

    def to_room(
        self,
        app: str,
        room: str,
        event: str,
        data: dict[str, Any],
        *,
        volatile: bool = False,
        exclude: str | None = None,
        about: str | None = None,
    ) -> None:
        """For everyone in the Room but the Connection `exclude`."""
        told = {"room": room, **data}
        hint = Hint(event=event, data=told, volatile=volatile, exclude=exclude, about=about)
        self._put(topics.room(app, room), hint)

    def to_seat(self, app: str, participant: str, event: str, data: dict[str, Any]) -> None:
        """For one Participant."""
        self._put(topics.seat(app, participant), Hint(event=event, data=data))

    def _put(self, topic: str, hint: Hint) -> None:
        if self._queue.full():
            self.dropped_total += 1
            return
        self._queue.put_nowait((topic, hint))

    async def flush(self, timeout_s: float = 2.0) -> None:
        """Wait until what was said so far is published, or the time is up."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._queue.join()
        except TimeoutError:
            log.warning("%d room events are not told", self._queue.qsize())

    async def _run(self) -> None:
        while True:
            topic, hint = await self._queue.get()
            try:
                await self._broker.publish(topic, hint)
            except Exception:
                log.exception("cannot publish %s", hint.event)
            finally:
                self._queue.task_done()
