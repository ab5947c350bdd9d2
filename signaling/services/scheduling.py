"""Messages that wait: sent when their time comes, by whichever node looks first."""

import logging
from collections.abc import Coroutine
from typing import Any

import msgspec

from signaling import ids
from signaling.errors import Refused
from signaling.model import Identity, Scheduled
from signaling.ports import Clock, Waiting
from signaling.protocol.messages import CancelScheduled, ListScheduled, SendMessage
from signaling.services.announce import Announcer
from signaling.services.limits import Limits
from signaling.services.messages import MessageService, check_body

AHEAD_MAX_MS = 366 * 86_400_000
GROUP = 100
AGAIN_MS = 1_000
"""After the first time a message could not be sent; doubled each time."""
AGAIN_MAX_MS = 300_000
GIVE_UP_MS = 86_400_000
"""So long after its time a message that still cannot be sent has failed."""

log = logging.getLogger(__name__)


class SchedulingService:
    """Answers `message:send` and `scheduled:*`; `send_due` and `expire` are called now and then."""

    def __init__(
        self,
        waiting: Waiting,
        messages: MessageService,
        announcer: Announcer,
        limits: Limits,
        clock: Clock,
    ) -> None:
        self._waiting = waiting
        self._messages = messages
        self._announcer = announcer
        self._limits = limits
        self._clock = clock

    def send(self, who: Identity, request: SendMessage) -> Coroutine[Any, Any, dict[str, Any]]:
        """`message:send`, now or, with `send_at`, then: `{scheduled, at}`."""
        if request.send_at is None:
            return self._messages.send(who, request)
        return self._send_at(who, request, request.send_at)

    async def _send_at(self, who: Identity, request: SendMessage, send_at: int) -> dict[str, Any]:
        if await self._waiting.find(who.app, who.user, request.client_id) is None:
            if await self._messages.used(who, request.client_id):
                # Its time has come and gone: a resend gets the answer of what was sent.
                return await self._messages.send(who, _at_once(request))
            await self._check(who, request, send_at)
        message = _scheduled(who, request, send_at)
        kept = await self._waiting.put(message, self._limits.scheduled)
        return {"scheduled": kept.id, "at": kept.due_at}

    async def _check(self, who: Identity, request: SendMessage, send_at: int) -> None:
        now = self._clock()
        if not now < send_at <= now + AHEAD_MAX_MS:
            raise Refused("bad_request", "`send_at` is not within the year ahead")
        check_body(request.type, request.body, self._limits)
        await self._messages.may_write(who, request.conversation, request.mentions)

    async def list(self, who: Identity, request: ListScheduled) -> dict[str, Any]:
        """`scheduled:list`."""
        found = await self._waiting.of(who.app, who.user)
        wanted = request.conversation
        return {
            "scheduled": [
                _view(message)
                for message in found
                if wanted is None or message.conversation == wanted
            ]
        }

    async def cancel(self, who: Identity, request: CancelScheduled) -> dict[str, Any]:
        """`scheduled:cancel`. Raises Refused not_found, also when it has been sent."""
        mine = await self._waiting.of(who.app, who.user)
        if not any(message.id == request.scheduled for message in mine):
            raise Refused("not_found", "no such message waits")
        if not await self._waiting.remove(request.scheduled):
            raise Refused("not_found", "it has been sent a moment ago")
        return {}

    async def send_due(self) -> int:
        """Send what is due. The client_id makes a second sending the first one's duplicate."""
        due = await self._waiting.due(self._clock(), GROUP)
        for message in due:
            await self._send(message)
        return len(due)

    async def _send(self, message: Scheduled) -> None:
        who = msgspec.json.decode(message.who, type=Identity)
        request = msgspec.json.decode(message.request, type=SendMessage)
        try:
            answer = await self._messages.send(who, _at_once(request), message.id)
        except Refused as refused:
            now = self._clock()
            if refused.retryable and now < message.due_at + GIVE_UP_MS:
                log.warning("a scheduled message waits on: %s", refused.message)
                await self._waiting.put_off(message.id, now + _pause_ms(message, refused))
                return
            if await self._waiting.remove(message.id):  # else it was called off meanwhile
                data = {"scheduled": message.id, "error": refused.to_wire()}
                await self._announcer.user(who.app, who.user, "scheduled:failed", data)
            return
        if answer["duplicate"]:
            await self._waiting.remove(message.id)

    async def expire(self) -> int:
        """Blank messages whose time is over."""
        return await self._waiting.expire(self._clock(), GROUP)


def _scheduled(who: Identity, request: SendMessage, send_at: int) -> Scheduled:
    return Scheduled(
        id=ids.new("s"),
        app=who.app,
        conversation=request.conversation,
        sender=who.user,
        client_id=request.client_id,
        due_at=send_at,
        who=msgspec.json.encode(who).decode(),
        request=msgspec.json.encode(request).decode(),
    )


def _at_once(request: SendMessage) -> SendMessage:
    """The same request as one sent by hand."""
    return msgspec.structs.replace(request, send_at=None)


def _pause_ms(message: Scheduled, refused: Refused) -> int:
    doubled = min(AGAIN_MS << min(message.attempts, 16), AGAIN_MAX_MS)
    return max(doubled, refused.retry_after_ms or 0)


def _view(message: Scheduled) -> dict[str, Any]:
    request = msgspec.json.decode(message.request, type=SendMessage)
    return {
        "id": message.id,
        "conversation": message.conversation,
        "client_id": message.client_id,
        "type": request.type,
        "body": request.body,
        "at": message.due_at,
    }
