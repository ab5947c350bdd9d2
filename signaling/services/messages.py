"""Messages: sent once, in order, on disk before they are acknowledged."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from signaling import ids
from signaling.errors import Refused
from signaling.model import Appended, Draft, Event, Identity
from signaling.moderation.presend import Said
from signaling.moderation.screen import NoScreen, Screen
from signaling.ports import Allow, Broker, Clock, Conversations, Hint, Log
from signaling.protocol.messages import SendMessage
from signaling.protocol.settings import AppSettings
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
        screen: Screen | None = None,
    ) -> None:
        self._log = log
        self._conversations = conversations
        self._broker = broker
        self._limits = limits
        self._clock = clock
        self._screen = screen or NoScreen()
        # filled at composition
        self.sending: Callable[[str], Sending] = lambda _app: Sending(None)
        """What an app's plan says about one more message."""

    async def send(
        self, who: Identity, request: SendMessage, scheduled: str | None = None
    ) -> dict[str, Any]:
        """`message:send`: append, publish, and what the ack says; `scheduled` is the message that
        waited, not_found when it was called off.

        Raises Refused: not_found, forbidden, conflict, too_large, bad_request, rate_limited.
        """
        check_body(request.type, request.body, self._limits)
        settings = await self._screen.settings(who.app)
        body = request.body
        if self._screen.looks(settings):
            body = await self._screened(who, request, settings)
        appended = await self._append(who, request, body, settings.slow_mode_ms, scheduled)
        event = appended.event
        if not appended.duplicate:
            topic = conversation_topic(who.app, event.conversation)
            await self._broker.publish(topic, Hint(event=event.type, data=event.to_wire()))
        return _answer(request, appended)

    async def used(self, who: Identity, client_id: str) -> bool:
        """Whether something was appended with this client_id."""
        return await self._log.used(who.app, who.user, client_id)

    async def _screened(
        self, who: Identity, request: SendMessage, settings: AppSettings
    ) -> dict[str, Any]:
        """The body that is kept. What was kept before is not asked about again: a resend gets the
        first answer, whatever the app would say now.
        """
        if await self.used(who, request.client_id):
            return request.body
        await self.may_write(who, request.conversation, request.mentions)
        try:
            body = await self._screen.body(who.app, settings, _said(who, request))
        except Refused:
            if await self.used(who, request.client_id):
                return request.body
            raise
        check_body(request.type, body, self._limits)
        return body

    async def _append(
        self,
        who: Identity,
        request: SendMessage,
        body: dict[str, Any],
        slow_ms: int,
        scheduled: str | None,
    ) -> Appended:
        now = self._clock()
        draft = self._draft(who, request, now, body)
        if scheduled is not None:
            draft = replace(draft, scheduled=scheduled)
        with self.sending(who.app) as sending:
            allow = sending.after(rules.may_write(who, now, slow_ms, request.mentions))
            try:
                appended = await self._log.append(draft, allow)
            except Refused as refused:
                if refused.code != "not_found":
                    raise
                appended = await self._append_to_alias(draft, allow, refused)
            sending.landed(appended)
        return appended

    async def _append_to_alias(self, draft: Draft, allow: Allow, refused: Refused) -> Appended:
        found = await self._conversations.get(draft.app, draft.conversation)
        if found is None or found.id == draft.conversation:
            raise refused
        return await self._log.append(replace(draft, conversation=found.id), allow)

    def _draft(self, who: Identity, request: SendMessage, now: int, body: dict[str, Any]) -> Draft:
        return Draft(
            app=who.app,
            conversation=request.conversation,
            id=ids.new("e"),
            type="message:created",
            sender=who.user,
            at=now,
            data=_data(who, request, now, body),
            client_id=request.client_id,
            fingerprint=fingerprint(request),
            refers=tuple({seq for seq in (request.reply_to, request.thread) if seq is not None}),
        )

    async def may_write(
        self, who: Identity, conversation: str, mentions: Sequence[str] = ()
    ) -> None:
        """Raises Refused not_found or forbidden unless `who` could send there now."""
        standing = await self._conversations.standing(who.app, conversation, who.user)
        if standing is None:
            raise Refused("not_found", "no such conversation")
        slow_ms = (await self._screen.settings(who.app)).slow_mode_ms
        allow = rules.may_write(who, self._clock(), slow_ms, mentions)
        allow(standing.conversation, standing.member)

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


def _answer(request: SendMessage, appended: Appended) -> dict[str, Any]:
    """With `body` where what is kept is not what was sent, so that a sender shows the same."""
    event = appended.event
    answer = {
        "id": event.id,
        "seq": event.seq,
        "at": event.at,
        "conversation": event.conversation,
        "duplicate": appended.duplicate,
    }
    kept = event.data.get("body")
    if kept is not None and kept != request.body:
        answer["body"] = kept
    return answer


def check_body(kind: str, body: dict[str, Any], limits: Limits) -> None:
    """Raises Refused too_large; bad_request for a text without text, a location without a place."""
    if len(_encode(body)) > limits.message_bytes:
        raise Refused("too_large", f"a body has at most {limits.message_bytes} bytes")
    if kind == "text":
        text = body.get("text")
        if not isinstance(text, str) or not text:
            raise Refused("bad_request", "a text needs `body.text`")
    if kind == "location" and not (
        _degrees(body, "latitude", 90) and _degrees(body, "longitude", 180)
    ):
        raise Refused("bad_request", "a location needs `latitude` and `longitude` in degrees")


def _degrees(body: dict[str, Any], name: str, most: int) -> bool:
    value = body.get(name)
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= most


def _said(who: Identity, request: SendMessage) -> Said:
    return Said(
        conversation=request.conversation,
        sender=who.user,
        kind=request.type,
        body=request.body,
        client_id=request.client_id,
        mentions=tuple(request.mentions),
        reply_to=request.reply_to,
        thread=request.thread,
    )


def _data(who: Identity, request: SendMessage, now: int, body: dict[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = {
        "client_id": request.client_id,
        "kind": request.type,
        "body": body,
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
