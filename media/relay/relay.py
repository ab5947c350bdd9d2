"""All data channels of an SFU: which Participant's, what for, and the tasks that serve them."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol

from aiortc.rtcdatachannel import RTCDataChannel

from media.events import DataReceived
from media.relay import frames, messages
from media.relay.files import FileStore, Receiver, Sender
from media.relay.messages import Budget, Outlets

log = logging.getLogger(__name__)

TRANSFERS_MAX: Final = 8
"""Files one Participant moves at the same time, each way."""

Seat = tuple[str, str]
"""(room, participant)."""


class OpenChannel(Protocol):
    """Opens a channel on a Participant's `subscribe`; None when that carries no data channels."""

    def __call__(
        self,
        room: str,
        participant: str,
        label: str,
        *,
        ordered: bool = True,
        max_retransmits: int | None = None,
    ) -> RTCDataChannel | None: ...


class _Place:
    """What the relay keeps of one Participant."""

    def __init__(self, now: float) -> None:
        self.outlets = Outlets()
        self.budget = Budget(now)
        self.tasks: set[asyncio.Task[None]] = set()
        self.receiving = 0
        self.sending = 0


class Relay:
    """Owned by an Sfu. Nothing that a channel brings raises here."""

    def __init__(
        self,
        open_channel: OpenChannel,
        emit: Callable[[DataReceived], None],
        files: FileStore | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        # passed in
        self._open_channel = open_channel
        self._emit = emit
        self._files = files
        self._clock = clock
        # made here
        self._places: dict[Seat, _Place] = {}
        self._rooms: dict[str, set[str]] = {}
        self._counts = dict.fromkeys(
            ("messages_relayed_total", "messages_dropped_total", "files_received_total",
             "files_sent_total", "channels_refused_total"), 0
        )  # fmt: skip

    def participant_joined(self, room: str, participant: str) -> None:
        """`subscribe` carries data channels now: open the two for messages."""
        place = self._place(room, participant)
        for label, lossy in ((messages.RELIABLE, False), (messages.LOSSY, True)):
            channel = self._open_channel(
                room,
                participant,
                label,
                ordered=not lossy,
                max_retransmits=0 if lossy else None,
            )
            if channel is not None:
                self._listen(room, participant, channel)
                place.outlets.put(channel)

    def participant_left(self, room: str, participant: str) -> None:
        """Forget it; transfers end, to be resumed."""
        place = self._places.pop((room, participant), None)
        if place is None:
            return
        for task in list(place.tasks):
            task.cancel()
        members = self._rooms[room]
        members.discard(participant)
        if not members:
            del self._rooms[room]

    def channel_opened(self, room: str, participant: str, channel: RTCDataChannel) -> None:
        """The client opened a channel on `publish`."""
        if channel.label in messages.LABELS:
            self._listen(room, participant, channel)
            return
        file = frames.file_of(channel.label)
        if file is None or self._files is None:
            self._refuse(channel, "unsupported", "channels are data, data-lossy or file:<id>")
        else:
            self._receive(self._files, room, participant, channel, file)

    async def send_file(self, room: str, participant: str, file: str, offset: int) -> bool:
        """Open `file:<id>` and stream from `offset`; False without data channels there."""
        place = self._places.get((room, participant))
        if self._files is None or place is None or place.sending >= TRANSFERS_MAX:
            return False
        channel = self._open_channel(room, participant, frames.LABEL_PREFIX + file)
        if channel is None:
            return False
        files = self._files
        sender = Sender(channel, lambda: files.open(room, participant, file, offset), offset)
        place.sending += 1
        self._spawn(place, sender.run(), lambda: self._sent(place), f"send {file}")
        return True

    def send_data(
        self, room: str, participant: str | None, payload: bytes, *, reliable: bool
    ) -> None:
        """A message from the server itself (sender id empty), to one Participant or to all."""
        label = messages.RELIABLE if reliable else messages.LOSSY
        to = self._rooms.get(room, set()) if participant is None else {participant}
        self._pass_on(room, to, label, messages.relayed("", payload))

    def stats(self) -> dict[str, int]:
        """Counters."""
        receiving = sum(place.receiving for place in self._places.values())
        sending = sum(place.sending for place in self._places.values())
        return {**self._counts, "files_receiving": receiving, "files_sending": sending}

    async def close(self) -> None:
        """End all transfers."""
        tasks = [task for place in self._places.values() for task in place.tasks]
        for room, participant in list(self._places):
            self.participant_left(room, participant)
        await asyncio.gather(*tasks, return_exceptions=True)

    def _place(self, room: str, participant: str) -> _Place:
        place = self._places.get((room, participant))
        if place is None:
            place = self._places[room, participant] = _Place(self._clock())
            self._rooms.setdefault(room, set()).add(participant)
        return place

    def _receive(
        self, files: FileStore, room: str, participant: str, channel: RTCDataChannel, file: str
    ) -> None:
        place = self._place(room, participant)
        if place.receiving >= TRANSFERS_MAX:
            self._refuse(channel, "rate_limited", "too many files at the same time")
            return
        receiver = Receiver(channel, lambda: files.begin(room, participant, file))
        place.receiving += 1
        self._spawn(place, receiver.run(), lambda: self._received(place), f"receive {file}")

    def _received(self, place: _Place) -> None:
        place.receiving -= 1
        self._counts["files_received_total"] += 1

    def _sent(self, place: _Place) -> None:
        place.sending -= 1
        self._counts["files_sent_total"] += 1

    def _listen(self, room: str, participant: str, channel: RTCDataChannel) -> None:
        """What the client writes here, whoever opened it, goes to the Room."""
        channel.on("message", lambda message: self._said(room, participant, channel, message))

    def _said(
        self, room: str, participant: str, channel: RTCDataChannel, message: bytes | str
    ) -> None:
        place = self._places.get((room, participant))
        if place is None:  # it left; its channel has not heard of it yet
            return
        size = messages.sized(message)
        if size > messages.PAYLOAD_MAX_BYTES:
            self._drop(channel, "too_large", f"at most {messages.PAYLOAD_MAX_BYTES} bytes")
            return
        if not place.budget.take(size, self._clock()):
            self._drop(channel, "rate_limited", "too much in too short a time")
            return
        others = self._rooms[room] - {participant}
        self._pass_on(room, others, channel.label, messages.relayed(participant, message))
        payload = message.encode() if isinstance(message, str) else message
        reliable = channel.label == messages.RELIABLE
        self._emit(
            DataReceived(room=room, participant=participant, payload=payload, reliable=reliable)
        )

    def _drop(self, channel: RTCDataChannel, code: str, message: str) -> None:
        """Reliable means that nothing is missing: there the channel ends instead."""
        self._counts["messages_dropped_total"] += 1
        if channel.label == messages.RELIABLE:
            self._refuse(channel, code, message)

    def _pass_on(self, room: str, to: set[str], label: str, message: bytes | str) -> None:
        size = messages.sized(message)
        for participant in to:
            place = self._places.get((room, participant))
            passed = place is not None and place.outlets.send(label, message, size)
            self._counts["messages_relayed_total" if passed else "messages_dropped_total"] += 1

    def _refuse(self, channel: RTCDataChannel, code: str, message: str) -> None:
        self._counts["channels_refused_total"] += 1
        if channel.readyState == "open":
            channel.send(frames.error(code, message))
        channel.close()

    def _spawn(
        self,
        place: _Place,
        work: Coroutine[Any, Any, None],
        done: Callable[[], None],
        name: str,
    ) -> None:
        task = asyncio.create_task(work, name=name)
        place.tasks.add(task)

        def ended(task: asyncio.Task[None]) -> None:
            place.tasks.discard(task)
            done()
            if not task.cancelled() and (error := task.exception()) is not None:
                log.error("%s failed", name, exc_info=error)

        task.add_done_callback(ended)
