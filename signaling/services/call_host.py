"""The calls this node holds: they ring, are answered, end, and leave `call:ended` in the log."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from signaling import ids, topics
from signaling.errors import Refused
from signaling.model import Appended, Draft, Identity
from signaling.ports import Broker, Clock, Hint
from signaling.services.call_state import Action, Call, Party
from signaling.tasks import Tasks

log = logging.getLogger(__name__)

RING_S = 45.0
ENDED_MAX = 1_000
WRITE_AGAIN_S = (0.5, 2.0, 5.0, 15.0)
RING_AGAIN_S = 5.0
"""Rings are told again: a Device that connects meanwhile rings too."""


class Appender(Protocol):
    """Where calls leave their trace."""

    async def append(self, draft: Draft) -> Appended:
        """On disk when it returns."""


class CallHost:
    """Calls by id, at most one for each Conversation."""

    def __init__(
        self,
        log: Appender,
        broker: Broker,
        clock: Clock,
        tasks: Tasks,
        *,
        ring_s: float = RING_S,
        ring_again_s: float = RING_AGAIN_S,
    ) -> None:
        # passed in
        self._log = log
        self._broker = broker
        self._clock = clock
        self._tasks = tasks
        self._ring_s = ring_s
        self._ring_again_s = ring_again_s
        # made here
        self.calls: dict[str, Call] = {}
        self._ended: dict[str, Call] = {}
        """The last call of a Conversation: the same invitation again gets it."""
        self.watchers: list[Callable[[str, Call], Coroutine[Any, Any, None]]] = []
        """Told `call:ringing` once a call and `call:changed`, each with the call as it is then."""

    async def invite(
        self, who: Identity, conversation: str, media: str, client_id: str, others: list[str]
    ) -> Call:
        """Ring `others`; during a call of the Conversation it is an acceptance. Raises Refused."""
        key = f"{who.app}/{conversation}"
        call_id = f"{ids.of('call', [who.app, who.user, client_id])}.{conversation}"
        call = self.calls.get(key)
        if call is not None:
            if call.id != call_id:
                await self.act(who, call.id, "accept")
            return call
        last = self._ended.get(key)
        if last is not None and last.id == call_id:
            return last
        return await self._begin(
            Call(
                id=call_id,
                app=who.app,
                conversation=conversation,
                media=media,
                caller=who.user,
                started_at=self._clock(),
                parties={who.user: Party(who.user, "accepted", who.device)}
                | {
                    user: Party(user, "busy" if self._busy(who.app, user) else "ringing")
                    for user in others
                },
            )
        )

    async def _begin(self, call: Call) -> Call:
        self.calls[f"{call.app}/{call.conversation}"] = call
        if call.ringing():
            await self._ring(call)
            self._watched("call:ringing", call)
            self._tasks.spawn(self._ringing(call), f"ring {call.id}")
        else:
            call.give_up(self._clock())
            await self._changed(call)
        return call

    def _busy(self, app: str, user: str) -> bool:
        return any(call.app == app and user in call.talking() for call in self.calls.values())

    async def act(self, who: Identity, call_id: str, action: Action) -> Call:
        """One of the parties does something. Raises Refused."""
        call = self._find(who.app, call_id)
        if call.act(who.user, who.device, action, self._clock()):
            await self._changed(call)
        return call

    async def cancel(self, who: Identity, call_id: str) -> Call:
        """The caller gives up. Raises Refused."""
        call = self._find(who.app, call_id)
        call.cancel(who.user, self._clock())
        await self._changed(call)
        return call

    async def hangup(self, who: Identity, call_id: str) -> Call:
        """Leave; before an answer the caller cancels, the called decline."""
        call = self._find(who.app, call_id)
        party = call.parties.get(who.user)
        if party is not None and party.state == "ringing":
            return await self.act(who, call_id, "decline")
        if call.state == "ringing" and who.user == call.caller:
            return await self.cancel(who, call_id)
        if party is not None and party.state == "accepted" and party.device != who.device:
            raise Refused("conflict", "the call goes on on another device")
        return await self.act(who, call_id, "hangup")

    def _find(self, app: str, call_id: str) -> Call:
        call = self.calls.get(f"{app}/{call_id.partition('.')[2]}")
        if call is None or call.id != call_id:
            raise Refused("not_found", "no such call, or it is over")
        return call

    async def _ringing(self, call: Call) -> None:
        """Ring again and again until all have answered or the time is up."""
        rings = max(1, round(self._ring_s / self._ring_again_s))
        for _ in range(rings):
            await asyncio.sleep(self._ring_s / rings)
            if not call.ringing():
                return
            await self._ring(call)
        if call.give_up(self._clock()):
            await self._changed(call)

    async def _ring(self, call: Call) -> None:
        for user in call.ringing():
            await self._tell(call, user, "call:ringing")

    async def _changed(self, call: Call) -> None:
        for user in call.parties:
            await self._tell(call, user, "call:changed")
        self._watched("call:changed", call)
        if call.ended_at is not None:
            await self._end(call)

    def _watched(self, event: str, call: Call) -> None:
        for watcher in self.watchers:
            self._tasks.spawn(watcher(event, call), f"{event} {call.id}")

    async def _tell(self, call: Call, user: str, event: str) -> None:
        hint = Hint(event=event, data={"call": call.to_wire()})
        await self._broker.publish(topics.user(call.app, user), hint)

    async def _end(self, call: Call) -> None:
        """Nobody is in it any more; the log shall say so."""
        key = f"{call.app}/{call.conversation}"
        if self.calls.pop(key, None) is None:
            return
        self._ended[key] = call
        while len(self._ended) > ENDED_MAX:
            del self._ended[next(iter(self._ended))]
        self._tasks.spawn(self._write(call), f"log the end of {call.id}")

    async def _write(self, call: Call) -> None:
        """Until it is on disk, a few times; the call's id is the append's client_id, so once."""
        for pause_s in WRITE_AGAIN_S:
            try:
                await self._append(call)
            except Refused as error:
                if not error.retryable:
                    raise
                log.warning("the end of %s is not written yet: %s", call.id, error.message)
                await asyncio.sleep(pause_s)
            else:
                return
        await self._append(call)

    async def _append(self, call: Call) -> None:
        draft = Draft(
            app=call.app,
            conversation=call.conversation,
            id=ids.new("e"),
            type="call:ended",
            sender=call.caller,
            at=self._clock(),
            data={"call": call.to_wire()},
            client_id=call.id,
            fingerprint=call.id,
        )
        event = (await self._log.append(draft)).event
        hint = Hint(event=event.type, data=event.to_wire())
        await self._broker.publish(topics.conversation(call.app, call.conversation), hint)
