"""How calls that are over come into the log: once each, whichever node does it."""

from typing import Protocol

from signaling import ids, topics
from signaling.errors import Refused
from signaling.model import Appended, Conversation, Draft, Member
from signaling.ports import Allow, Broker, Clock, Hint, LiveCalls
from signaling.services.call_state import Call


class Appender(Protocol):
    """See ports.Log."""

    async def append(self, draft: Draft, allow: Allow | None = None) -> Appended:
        """On disk when it returns."""

    async def used(self, app: str, sender: str, client_id: str) -> bool:
        """Whether something was appended with this client_id."""


class CallEnds:
    """Writes `call:ended`; a call's id is the append's client_id."""

    def __init__(self, log: Appender, store: LiveCalls, broker: Broker, clock: Clock) -> None:
        # passed in
        self._log = log
        self._store = store
        self._broker = broker
        self._clock = clock

    async def write(self, call: Call) -> bool:
        """Append, tell, forget that it lived; False when it was in the log already. Raises Refused,
        and then it is still kept.
        """
        appended = await self._log.append(self._draft(call))
        if not appended.duplicate:
            event = appended.event
            hint = Hint(event=event.type, data=event.to_wire())
            await self._broker.publish(topics.conversation(call.app, call.conversation), hint)
        await self._store.remove(call.id)
        return not appended.duplicate

    async def found(self, call: Call) -> Call | None:
        """The call of this id, when its end is in the log already: its id is used up."""
        if not await self._log.used(call.app, call.caller, call.id):
            return None
        event = (await self._log.append(self._draft(call), _nothing_new)).event
        return Call.logged(call.app, event.data["call"])

    def _draft(self, call: Call) -> Draft:
        wire = call.to_wire()
        told = {name: wire[name] for name in ("media", "outcome", "duration_ms")}
        return Draft(
            app=call.app,
            conversation=call.conversation,
            id=ids.new("e"),
            type="call:ended",
            sender=call.caller,
            at=self._clock(),
            data={"call": wire, **told},
            client_id=call.id,
            fingerprint=call.id,
        )


def _nothing_new(_: Conversation, __: Member | None) -> None:
    raise Refused("conflict", "this call is over")
