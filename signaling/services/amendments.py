"""What happens to a message after it was sent: edits, recall, pins, reactions."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from signaling.audit.trail import actor_of
from signaling.errors import Refused
from signaling.model import (
    AuditEntry,
    Change,
    Conversation,
    Decided,
    Event,
    Identity,
    Member,
    Scene,
)
from signaling.moderation.presend import Said
from signaling.moderation.screen import NoScreen, Screen
from signaling.ports import Clock, Conversations, Decide
from signaling.protocol.messages import EditMessage, PinMessage, RecallMessage, SetReaction
from signaling.services import rules
from signaling.services.announce import Announcer
from signaling.services.creating import draft
from signaling.services.limits import Limits
from signaling.services.messages import check_body

KEPT_AFTER_RECALL = ("client_id", "kind", "reply_to", "thread", "replies", "sender_name")


class AmendmentService:
    """Answers `message:edit`, `message:recall`, `message:pin` and `reaction:set`.

    Each appends an event and, in the same transaction, changes the message it is about, so that
    history shows every message as it stands.
    """

    def __init__(
        self,
        conversations: Conversations,
        announcer: Announcer,
        limits: Limits,
        clock: Clock,
        screen: Screen | None = None,
    ) -> None:
        self._conversations = conversations
        self._announcer = announcer
        self._limits = limits
        self._clock = clock
        self._screen = screen or NoScreen()

    async def edit(self, who: Identity, request: EditMessage) -> dict[str, Any]:
        """`message:edit`. Raises Refused: not_found, forbidden, too_large, quota_exceeded."""
        settings = await self._screen.settings(who.app)
        limit_ms = settings.recall_limit_ms
        if self._screen.looks(settings):
            said = await self._said(who, request, limit_ms)
            body = await self._screen.body(who.app, settings, said)
            request = replace(request, body=body)
        now = self._clock()

        def decide(scene: Scene) -> Change:
            event = self._editable(who, scene, request, now, limit_ms)
            return _edited(who, scene, event, request, now)

        return _answer(await self._decide(who, request.conversation, request.seq, decide))

    async def _said(self, who: Identity, request: EditMessage, limit_ms: int) -> Said:
        """What the app is asked about, once the edit may be made: others' words are not shown."""
        now = self._clock()
        found: list[Event] = []

        def look(scene: Scene) -> Change:
            found.append(self._editable(who, scene, request, now, limit_ms))
            return Change()

        await self._conversations.decide(
            who.app, request.conversation, [who.user], look, target=request.seq
        )
        event = found[-1]
        return Said(
            conversation=event.conversation,
            sender=who.user,
            kind=event.data["kind"],
            body=request.body,
            edits=event.seq,
            mentions=tuple(_mentions(event, request)),
            reply_to=event.data.get("reply_to"),
            thread=event.data.get("thread"),
        )

    def _editable(
        self, who: Identity, scene: Scene, request: EditMessage, now: int, limit_ms: int
    ) -> Event:
        member = scene.members.get(who.user)
        rules.may_edit(who, now, request.mentions)(scene.conversation, member)
        event = _own(who, scene, now, limit_ms)
        check_body(event.data["kind"], request.body, self._limits)
        edits = event.data.get("edits", [])
        if len(edits) >= self._limits.edits:
            raise Refused("quota_exceeded", f"a message can be edited {len(edits)} times")
        return event

    async def recall(self, who: Identity, request: RecallMessage) -> dict[str, Any]:
        """`message:recall`, by its sender, or an admin. The body is gone when this returns."""
        limit_ms = (await self._screen.settings(who.app)).recall_limit_ms
        now = self._clock()

        def decide(scene: Scene) -> Change:
            member = scene.members.get(who.user)
            here = _outside(scene) if who.grants.admin else rules.present(member)
            event = rules.visible_message(scene.target, here)
            if event.data.get("recalled"):
                return Change()
            own = event.sender == who.user
            if own:
                rules.in_limit(scene.conversation, event, now, limit_ms)
            else:
                rules.may_take_back(who, scene.conversation, member)
            data = {"target": event.seq, "by": who.user}
            kept = {name: event.data[name] for name in KEPT_AFTER_RECALL if name in event.data}
            recalled = {**kept, "body": None, "recalled": True, "recalled_at": now}
            return Change(
                conversation=_without_pin(scene, event),
                drafts=(draft(who, scene.conversation, "message:recalled", data, now),),
                target=recalled,
                redact=tuple(event.data.get("edits", ())),
                audit=() if own else (_taken_back(who, event, now),),
            )

        return _answer(await self._decide(who, request.conversation, request.seq, decide))

    async def pin(self, who: Identity, request: PinMessage) -> dict[str, Any]:
        """`message:pin`, by admins, or either in a direct conversation."""
        now = self._clock()

        def decide(scene: Scene) -> Change:
            member = rules.may_pin(who, scene.conversation, scene.members.get(who.user))
            event = rules.visible_message(scene.target, member)
            pins = list(scene.conversation.settings.get("pins", []))
            if (event.seq in pins) == request.on:
                return Change()
            if request.on:
                rules.still_there(event, now)
            return self._pinned(who, scene, event, pins, now)

        return _answer(await self._decide(who, request.conversation, request.seq, decide))

    def _pinned(
        self, who: Identity, scene: Scene, event: Event, pins: list[int], now: int
    ) -> Change:
        on = event.seq not in pins
        if on and len(pins) >= self._limits.pins:
            raise Refused("quota_exceeded", f"at most {self._limits.pins} pinned messages")
        after = [*pins, event.seq] if on else [seq for seq in pins if seq != event.seq]
        data = {"target": event.seq, "by": who.user, "on": on}
        return Change(
            conversation=_with_pins(scene, after),
            drafts=(draft(who, scene.conversation, "message:pinned", data, now),),
            target={**event.data, "pinned": on},
        )

    async def react(self, who: Identity, request: SetReaction) -> dict[str, Any]:
        """`reaction:set`. Raises Refused: not_found, forbidden, quota_exceeded."""
        now = self._clock()

        def decide(scene: Scene) -> Change:
            member = scene.members.get(who.user)
            here = rules.may_act(who, scene.conversation, member, now)
            event = rules.still_there(rules.visible_message(scene.target, here), now)
            return self._reacted(who, scene, event, request, now)

        return _answer(await self._decide(who, request.conversation, request.seq, decide))

    def _reacted(
        self, who: Identity, scene: Scene, event: Event, request: SetReaction, now: int
    ) -> Change:
        reactions = {emoji: list(users) for emoji, users in event.data.get("reactions", {}).items()}
        users = reactions.setdefault(request.emoji, [])
        if (who.user in users) == request.on:
            return Change()
        if request.on:
            if sum(map(len, reactions.values())) >= self._limits.reactions:
                raise Refused("quota_exceeded", f"at most {self._limits.reactions} reactions")
            users.append(who.user)
        else:
            users.remove(who.user)
        data = {
            "target": event.seq,
            "emoji": request.emoji,
            "user": who.user,
            "on": request.on,
        }
        left = {emoji: names for emoji, names in reactions.items() if names}
        return Change(
            drafts=(draft(who, scene.conversation, "reaction:changed", data, now),),
            target={**event.data, "reactions": left},
        )

    async def _decide(self, who: Identity, key: str, seq: int, decide: Decide) -> Decided:
        decided = await self._conversations.decide(who.app, key, [who.user], decide, target=seq)
        await self._announcer.events(decided.conversation, decided.events)
        return decided


def _outside(scene: Scene) -> Member:
    """The place of an administrator of the app, who sees all of it."""
    return Member(conversation=scene.conversation.id, user="", role="admin", joined_at=0)


def _taken_back(who: Identity, event: Event, now: int) -> AuditEntry:
    return AuditEntry(
        app=who.app,
        at=now,
        actor=actor_of(who),
        action="message:recalled",
        subject=event.sender,
        details={"conversation": event.conversation, "seq": event.seq},
    )


def _own(who: Identity, scene: Scene, now: int, limit_ms: int) -> Event:
    member: Member = rules.present(scene.members.get(who.user))
    event = rules.visible_message(scene.target, member)
    if event.sender != who.user:
        raise Refused("forbidden", "only its sender may do this")
    rules.still_there(event, now)
    rules.in_limit(scene.conversation, event, now, limit_ms)
    return event


def _edited(who: Identity, scene: Scene, event: Event, request: EditMessage, now: int) -> Change:
    seq = scene.conversation.head + 1
    mentions = _mentions(event, request)
    data: dict[str, Any] = {"target": event.seq, "kind": event.data["kind"], "body": request.body}
    after = {
        **event.data,
        "body": request.body,
        "edited_seq": seq,
        "edited_at": now,
        "edits": [*event.data.get("edits", []), seq],
    }
    if "expires_at" in event.data:
        data["expires_at"] = event.data["expires_at"]
    if mentions:
        data["mentions"] = after["mentions"] = mentions
    else:
        after.pop("mentions", None)
    drafted = draft(who, scene.conversation, "message:edited", data, now)
    return Change(drafts=(drafted,), target=after)


def _mentions(event: Event, request: EditMessage) -> Sequence[str]:
    return event.data.get("mentions", ()) if request.mentions is None else request.mentions


def _without_pin(scene: Scene, event: Event) -> Conversation | None:
    """A recalled message holds no place among the pins."""
    pins = scene.conversation.settings.get("pins", ())
    if event.seq not in pins:
        return None
    return _with_pins(scene, [seq for seq in pins if seq != event.seq])


def _with_pins(scene: Scene, pins: list[int]) -> Conversation:
    settings = {**scene.conversation.settings, "pins": pins}
    return replace(scene.conversation, settings=settings)


def _answer(decided: Decided) -> dict[str, Any]:
    """The new event, or the head when there was nothing to do."""
    if not decided.events:
        return {"id": None, "seq": decided.conversation.head, "at": None, "changed": False}
    event = decided.events[0]
    return {"id": event.id, "seq": event.seq, "at": event.at, "changed": True}
