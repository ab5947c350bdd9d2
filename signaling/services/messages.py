"""Messages: sent once, in order, on disk before they are acknowledged."""

from collections.abc import Callable
from typing import Any

import msgspec

from signaling import ids
from signaling.errors import Refused
from signaling.model import Appended, Draft, Event, Identity
from signaling.ports import Broker, Clock, Conversations, Hint, Log
from signaling.protocol.messages import SendMessage
from signaling.services import rules
from signaling.services.creating import fingerprint
from signaling.services.limits import Limits
from signaling.services.quota import Sending
from signaling.topics import conversation as conversation_topic

_encode = msgspec.json.Encoder().encode


class MessageService:
    """Answers `message:send`; other services post through it."""

    def __init__(
        self,
        log: Log,
        conversations: Conversations,
        broker: Broker,
        limits: Limits,
        clock: Clock,
    ) -> None:
        self._log = log
        self._conversations = conversations
        self._broker = broker
        self._limits = limits
        self._clock = clock
        # filled at composition
        self.sending: Callable[[str], Sending] = lambda _app: Sending(None)
        """What an app's plan says about one more message."""

    async def send(self, who: Identity, request: SendMessage) -> dict[str, Any]:
        """`message:send`: append, publish, and what the ack says.

        Raises Refused: not_found, forbidden, conflict, too_large, bad_request, rate_limited.
        """
        check_body(request.type, request.body, self._limits)
        appended = await self._append(who, request)
        event = appended.event
        if not appended.duplicate:
            topic = conversation_topic(who.app, event.conversation)
            await self._broker.publish(topic, Hint(event=event.type, data=event.to_wire()))
        return {
            "id": event.id,
            "seq": event.seq,
            "at": event.at,
            "conversation": event.conversation,
            "duplicate": appended.duplicate,
        }

    async def _append(self, who: Identity, request: SendMessage) -> Appended:
        with self.sending(who.app) as sending:
            appended = await self._append_as(who, request, sending)
            sending.landed(appended)
        return appended

    async def _append_as(self, who: Identity, request: SendMessage, sending: Sending) -> Appended:
        now = self._clock()
        allow = sending.after(rules.may_write(who, now))
        draft = self._draft(who, request, request.conversation, now)
        try:
            return await self._log.append(draft, allow)
        except Refused as refused:
            if refused.code != "not_found":
                raise
            found = await self._conversations.get(who.app, request.conversation)
            if found is None or found.id == request.conversation:
                raise
            draft = self._draft(who, request, found.id, now)
            return await self._log.append(draft, allow)

    def _draft(self, who: Identity, request: SendMessage, conversation: str, now: int) -> Draft:
        return Draft(
            app=who.app,
            conversation=conversation,
            id=ids.new("e"),
            type="message:created",
            sender=who.user,
            at=now,
            data=_data(who, request, now),
            client_id=request.client_id,
            fingerprint=fingerprint(request),
            refers=tuple({seq for seq in (request.reply_to, request.thread) if seq is not None}),
        )

    async def may_write(self, who: Identity, conversation: str) -> None:
        """Raises Refused not_found or forbidden unless `who` could send there now."""
        standing = await self._conversations.standing(who.app, conversation, who.user)
        if standing is None:
            raise Refused("not_found", "no such conversation")
        rules.may_write(who, self._clock())(standing.conversation, standing.member)

    async def post(
        self, who: Identity, conversation: str, client_id: str, kind: str, body: dict[str, Any]
    ) -> Event:
        """Send on behalf of a user, for other services; the same client_id gives the same event."""
        request = SendMessage(conversation=conversation, client_id=client_id, type=kind, body=body)
        answer = await self.send(who, request)
        event = await self._log.get(answer["conversation"], answer["seq"])
        if event is None:
            raise Refused("not_found", "that message has been erased")
        return event


def check_body(kind: str, body: dict[str, Any], limits: Limits) -> None:
    """Raises Refused too_large, or bad_request for a text without text."""
    if len(_encode(body)) > limits.message_bytes:
        raise Refused("too_large", f"a body has at most {limits.message_bytes} bytes")
    if kind == "text":
        text = body.get("text")
        if not isinstance(text, str) or not text:
            raise Refused("bad_request", "a text needs `body.text`")


def _data(who: Identity, request: SendMessage, now: int) -> dict[str, Any]:
    data: dict[str, Any] = {
        "client_id": request.client_id,
        "kind": request.type,
        "body": request.body,
    }
    if who.name and who.name != who.user:
        data["sender_name"] = who.name
    if request.reply_to is not None:
        data["reply_to"] = request.reply_to
    if request.thread is not None:
        data["thread"] = request.thread
    if request.mentions:
        data["mentions"] = request.mentions
    if request.expires_in is not None:
        data["expires_at"] = now + request.expires_in * 1000
    return data
