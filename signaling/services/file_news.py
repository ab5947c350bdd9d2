"""What Conversations and Rooms hear of files: progress as hints, readiness in the log."""

from typing import Any, Protocol

from signaling import ids, topics
from signaling.model import Appended, Draft
from signaling.ports import Broker, Clock, Hint
from signaling.services.file_record import File

PROGRESS_PERIOD_MS = 250


class Appending(Protocol):
    """The end of a log."""

    async def append(self, draft: Draft) -> Appended:
        """On disk when it returns."""


class FileNews:
    """Publishes `file:progress` and `file:ready`."""

    def __init__(self, log: Appending, broker: Broker, clock: Clock) -> None:
        # passed in
        self._log = log
        self._broker = broker
        self._clock = clock
        # made here
        self._told: dict[str, int] = {}
        """When progress of a file was last published."""

    async def progress(self, file: File, offset: int) -> None:
        """At most four times a second a file."""
        now = self._clock()
        if now - self._told.get(file.id, 0) >= PROGRESS_PERIOD_MS:
            self._told[file.id] = now
            await self._publish(file, offset)

    async def ended(self, file: File) -> None:
        """The upload is over, well or not."""
        self._told.pop(file.id, None)
        await self._publish(file, file.size if file.state == "ready" else 0)

    async def ready(self, file: File) -> None:
        """`file:ready`: in the log of a Conversation, once; a hint in a standalone Room."""
        data = {**file.to_body(), "message": file.seq}
        if file.conversation is None:
            room = {**data, "room": file.room, "sender": file.sender, "at": self._clock()}
            await self._send(file, Hint(event="file:ready", data=room))
            return
        draft = Draft(
            app=file.app,
            conversation=file.conversation,
            id=ids.new("e"),
            type="file:ready",
            sender=file.sender,
            at=self._clock(),
            data=data,
            client_id=f"file:ready:{file.id}",
        )
        appended = await self._log.append(draft)
        if not appended.duplicate:
            await self._send(file, Hint(event="file:ready", data=appended.event.to_wire()))

    async def _publish(self, file: File, offset: int) -> None:
        data: dict[str, Any] = {
            "file": file.id,
            "conversation": file.conversation,
            "room": file.room,
            "sender": file.sender,
            "name": file.name,
            "type": file.type,
            "size": file.size,
            "offset": offset,
            "state": "uploading" if file.state == "storing" else file.state,
        }
        present = {name: value for name, value in data.items() if value is not None}
        await self._send(file, Hint(event="file:progress", data=present, volatile=True))

    async def _send(self, file: File, hint: Hint) -> None:
        if file.conversation is not None:
            await self._broker.publish(topics.conversation(file.app, file.conversation), hint)
        elif file.room is not None:
            await self._broker.publish(topics.room(file.app, file.room), hint)
