"""The calls this node holds: they ring, are answered, end, and leave `call:ended` in the log."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any
from weakref import WeakValueDictionary

from signaling import ids, topics
from signaling.errors import Refused
from signaling.model import Identity
from signaling.ports import Broker, Clock, Hint, LiveCalls
from signaling.services.call_ends import CallEnds
from signaling.services.call_state import Action, Call, Party
from signaling.tasks import Tasks

log = logging.getLogger(__name__)

RING_S = 45.0
RING_AGAIN_S = 5.0
"""Rings are told again: a Device that connects meanwhile rings too."""
CLOSE_S = 5.0


class CallHost:
    """Calls by conversation, at most one for each. A step is on disk before anybody is told."""

    def __init__(
        self,
        node: str,
        ends: CallEnds,
        store: LiveCalls,
        broker: Broker,
        clock: Clock,
        tasks: Tasks,
        *,
        ring_s: float = RING_S,
        ring_again_s: float = RING_AGAIN_S,
    ) -> None:
        # passed in
        self._node = node
        self._ends = ends
        self._store = store
        self._broker = broker
        self._clock = clock
        self._tasks = tasks
        self._ring_s = ring_s
        self._ring_again_s = ring_again_s
        # made here
        self.calls: dict[str, Call] = {}
        """Never changed in place: a step replaces the call."""
        self.minding: set[str] = set()
        """Calls from before they are kept until they are forgotten."""
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._writing: set[asyncio.Task[None]] = set()
        self._closing = False
        self.watchers: list[Callable[[str, Call], Coroutine[Any, Any, None]]] = []
        """Told `call:ringing` once a call and `call:changed`, each with the call as it is then."""

    async def invite(
        self, who: Identity, conversation: str, media: str, client_id: str, others: list[str]
    ) -> Call:
        """Ring `others`; during a call of the Conversation it is an acceptance. Raises Refused:
        unavailable when it is not as the caller thought, by now.
        """
        call_id = f"{ids.of('call', [who.app, who.user, client_id])}.{conversation}"
        async with self._turn(who.app, call_id):
            going = self.calls.get(_key(who.app, conversation))
            if going is None:
                call = _new(who, call_id, media, self._clock())
                return await self._begin(call, others)
        return going if going.id == call_id else await self.act(who, going.id, "accept")

    async def _begin(self, call: Call, others: list[str]) -> Call:
        if not others or self._closing:
            raise Refused("unavailable", "that call has ended a moment ago")
        call.ring(others, await self._store.talking(call.app, others), self._clock())
        self.minding.add(call.id)
        try:
            earlier = await self._keep(call)
        except BaseException:
            self.minding.discard(call.id)
            raise
        if earlier is not None:
            self.minding.discard(call.id)
            return earlier
        await self._begun(call)
        return call

    async def _keep(self, call: Call) -> Call | None:
        """None, or what became of it: this is a resend. Raises Refused unavailable."""
        mine = call.live(self._node, self._clock())
        kept = await self._store.begin(mine)
        if kept != mine:
            if kept.id != call.id or not kept.ended:
                raise Refused("unavailable", "another call has begun a moment ago")
            return Call.of(kept)
        logged = await self._ends.found(call)
        if logged is not None:
            await self._store.remove(call.id)
        return logged

    async def _begun(self, call: Call) -> None:
        if call.ended_at is not None:
            await self._changed(call)
            return
        self.calls[_key(call.app, call.conversation)] = call
        await self._ring(call)
        self._watched("call:ringing", call)
        self._tasks.spawn(self._ringing(call.app, call.id), f"ring {call.id}")

    # steps

    async def act(self, who: Identity, call_id: str, action: Action) -> Call:
        """One of the parties does something; a member who is none may accept. Raises Refused."""

        def step(call: Call) -> bool:
            if action == "accept":
                call.admit(who.user)
            return call.act(who.user, who.device, action, self._clock())

        return await self._step(who.app, call_id, step)

    async def cancel(self, who: Identity, call_id: str) -> Call:
        """The caller gives up. Raises Refused."""
        return await self._step(who.app, call_id, lambda call: call.cancel(who.user, self._clock()))

    async def hangup(self, app: str, call_id: str, user: str, device: str) -> Call:
        """Leave; before an answer the caller cancels, the called decline. Raises Refused."""
        return await self._step(
            app, call_id, lambda call: call.hang_up(user, device, self._clock())
        )

    async def _step(self, app: str, call_id: str, step: Callable[[Call], bool]) -> Call:
        """Try it on a copy, keep the copy, tell. Raises Refused, and then nothing has changed."""
        async with self._turn(app, call_id):
            call = self._find(app, call_id).copy()
            if not step(call):
                return call
            if not await self._store.put(call.live(self._node, self._clock())):
                self.forget(call)
                raise _over()
            await self._changed(call)
            return call

    def _turn(self, app: str, call_id: str) -> asyncio.Lock:
        """Steps of a conversation's calls wait for each other."""
        key = _key(app, call_id.partition(".")[2])
        lock = self._turns.get(key)
        if lock is None:
            lock = self._turns[key] = asyncio.Lock()
        return lock

    def _find(self, app: str, call_id: str) -> Call:
        call = self.calls.get(_key(app, call_id.partition(".")[2]))
        if call is None or call.id != call_id:
            raise _over()
        return call

    def forget(self, call: Call) -> None:
        """Another node took this one for dead, and has ended the call."""
        key = _key(call.app, call.conversation)
        if (held := self.calls.get(key)) is not None and held.id == call.id:
            log.warning("%s was ended by another node", call.id)
            del self.calls[key]
            self.minding.discard(call.id)

    # ringing

    async def _ringing(self, app: str, call_id: str) -> None:
        """Ring again and again until all have answered or the time is up."""
        rings = max(1, round(self._ring_s / self._ring_again_s))
        for _ in range(rings):
            await asyncio.sleep(self._ring_s / rings)
            call = self.calls.get(_key(app, call_id.partition(".")[2]))
            if call is None or call.id != call_id or not call.ringing():
                return
            await self._ring(call)
        while True:
            if await self._gave_up(app, call_id):
                return
            await asyncio.sleep(self._ring_again_s)

    async def _gave_up(self, app: str, call_id: str) -> bool:
        """False while the database is away; the end of the call ends that, too."""
        try:
            await self._step(app, call_id, lambda call: call.give_up(self._clock()))
        except Refused as error:
            log.info("%s rings on: %s", call_id, error.message)
            return not error.retryable
        return True

    async def _ring(self, call: Call) -> None:
        for user in call.ringing():
            await self._tell(call, user, "call:ringing")

    # telling

    async def _changed(self, call: Call) -> None:
        key = _key(call.app, call.conversation)
        if call.ended_at is None:
            self.calls[key] = call
        else:
            self.calls.pop(key, None)
            self._write(call)
        await self.tell(call)

    async def tell(self, call: Call) -> None:
        """All parties how it is now."""
        for user in call.parties:
            await self._tell(call, user, "call:changed")
        self._watched("call:changed", call)

    def _watched(self, event: str, call: Call) -> None:
        for watcher in self.watchers:
            self._tasks.spawn(watcher(event, call), f"{event} {call.id}")

    async def _tell(self, call: Call, user: str, event: str) -> None:
        hint = Hint(event=event, data={"call": call.to_wire()})
        await self._broker.publish(topics.user(call.app, user), hint)

    # ending

    def _write(self, call: Call) -> None:
        task = self._tasks.spawn(self._ended(call), f"log the end of {call.id}")
        if task is None:
            self.minding.discard(call.id)
        else:
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)

    async def _ended(self, call: Call) -> None:
        """What cannot be written now stays kept, and whoever looks for such calls writes it."""
        try:
            await self._ends.write(call)
        except Refused as error:
            log.warning("the end of %s is not written yet: %s", call.id, error.message)
        finally:
            self.minding.discard(call.id)

    async def close(self) -> None:
        """End what is held here, and wait until it is written; what is not, the next start does."""
        self._closing = True
        try:
            async with asyncio.timeout(CLOSE_S):
                for call in list(self.calls.values()):
                    await self._stop(call)
                await asyncio.gather(*self._writing)
        except TimeoutError:
            log.warning("calls are left to the next start")

    async def _stop(self, call: Call) -> None:
        try:
            await self._step(call.app, call.id, lambda held: held.stop(self._clock()))
        except Refused as error:
            log.warning("%s is left to the next start: %s", call.id, error.message)


def _new(who: Identity, call_id: str, media: str, now: int) -> Call:
    return Call(
        id=call_id,
        app=who.app,
        conversation=call_id.partition(".")[2],
        media=media,
        caller=who.user,
        started_at=now,
        parties={who.user: Party(who.user, "accepted", who.device)},
    )


def _key(app: str, conversation: str) -> str:
    return f"{app}/{conversation}"


def _over() -> Refused:
    return Refused("not_found", "no such call, or it is over")
