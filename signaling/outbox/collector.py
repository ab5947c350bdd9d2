"""Reads the log behind everybody else and queues what webhooks want."""

from typing import Protocol

import msgspec

from signaling import ids
from signaling.model import Event
from signaling.outbox.webhook import Delivery, Outbox, Webhook, Webhooks

READER = "webhooks"
PAGE = 500


class LogTail(Protocol):
    """See ports.Log."""

    async def tail(self, position: int, limit: int) -> tuple[list[tuple[str, Event]], int]:
        """The log in order of commit, and the position reached."""


class Collector:
    """One reader with its cursor. `collect` may be run by one node at a time."""

    def __init__(self, log: LogTail, webhooks: Webhooks, outbox: Outbox) -> None:
        # passed in
        self._log = log
        self._webhooks = webhooks
        self._outbox = outbox
        # made here
        self.queued_total = 0
        self._done: int | None = None
        """The end of the log, once it was reached."""

    async def begin(self) -> None:
        """A new reader starts at the log's end: what was before is not told."""
        if await self._outbox.position(READER) is None:
            _, end = await self._log.tail(-1, 0)
            await self._outbox.enqueue(READER, end, [])

    async def collect(self) -> int:
        """Queue one page; how many events it had."""
        # Before the webhooks: one made later wants only what comes after this.
        _, end = await self._log.tail(-1, 0)
        if end == self._done:
            return 0
        position = await self._outbox.position(READER) or 0
        if end == position:
            self._done = end
            return 0
        hooks = await self._webhooks.all()
        if not hooks:
            await self._outbox.enqueue(READER, end, [])
            return 0
        events, reached = await self._log.tail(position, PAGE)
        queued = [
            delivery_of(hook, event)
            for app, event in events
            for hook in hooks
            if hook.app == app and hook.wants(event.type)
        ]
        await self._outbox.enqueue(READER, reached, queued)
        self.queued_total += len(queued)
        return len(events)


def delivery_of(hook: Webhook, event: Event) -> Delivery:
    """The delivery of one event: its id follows from both, so that it cannot be queued twice."""
    identity = ids.of("wd", (hook.id, event.id))
    body = {"id": identity, "type": event.type, "app": hook.app, "data": event.to_wire()}
    return Delivery(
        id=identity,
        webhook=hook.id,
        app=hook.app,
        conversation=event.conversation,
        position=event.position,
        type=event.type,
        body=msgspec.json.encode(body).decode(),
    )
