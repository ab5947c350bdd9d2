"""From the Broker to the sockets: each hint goes once to every Connection that listens.

Log events of a Conversation pass in order of `seq`; on a gap `missing` is asked to read the log.
What comes for a Connection on hold (its `session:ready` is being computed) waits.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from signaling import topics as names
from signaling.horizons import Horizons, veiled
from signaling.listeners import Listeners
from signaling.model import MEMBERSHIP
from signaling.order import Order
from signaling.ports import Broker, Connections, Hint
from signaling.sessions import Sessions

HELD_MAX = 4_000


class Fanout:
    """Who listens to what, and the way there."""

    def __init__(
        self,
        broker: Broker,
        connections: Connections,
        sessions: Sessions,
        missing: Callable[[str], None],
        on_member: Callable[[str, Mapping[str, Any]], None],
    ) -> None:
        # passed in
        self._broker = broker
        self._sockets = connections
        self._sessions = sessions
        self._missing = missing
        self._on_member = on_member
        # made here
        self.order = Order()
        self._listeners = Listeners()
        self._horizons = Horizons()
        self._held: dict[str, list[tuple[str, Hint]]] = {}
        self.delivered_total = 0

    async def listen(self, connection: str, topics: Iterable[str]) -> None:
        """When this returns, nothing published later passes the Connection by."""
        wanted = list(topics)
        self._listeners.add(connection, wanted)
        await self._broker.subscribe(wanted)

    def enter(self, connection: str, topic: str, seq: int, from_seq: int) -> None:
        """At once, the Connection gets what comes after `seq` of a Conversation that it sees from
        `from_seq` on; `hear` has the Broker bring it.
        """
        self._listeners.add(connection, [topic])
        self._horizons.put(connection, topic, from_seq)
        self.order.track(topic, seq)
        self.order.raise_floor(topic, connection, seq)

    async def hear(self, topics: Iterable[str]) -> None:
        """Subscribe to those of the topics that somebody listens to."""
        wanted = [topic for topic in topics if self.anyone(topic)]
        if wanted:
            await self._broker.subscribe(wanted)

    async def unlisten(self, connection: str, topics: Iterable[str]) -> None:
        """Nothing comes from these topics any more."""
        await self.hush(self.part(connection, topics))

    def part(self, connection: str, topics: Iterable[str]) -> list[str]:
        """At once, nothing comes from these topics any more. Gives those nobody listens to now,
        for `hush`.
        """
        wanted = list(topics)
        self.order.drop(connection, wanted)
        self._horizons.drop(connection, wanted)
        lonely = self._listeners.remove(connection, wanted)
        self.order.forget(lonely)
        return lonely

    async def hush(self, topics: Iterable[str]) -> None:
        """Unsubscribe from those of the topics that still nobody listens to."""
        unwanted = [topic for topic in topics if not self.anyone(topic)]
        if unwanted:
            await self._broker.unsubscribe(unwanted)

    async def drop(self, connection: str) -> None:
        """The Connection is gone."""
        self._held.pop(connection, None)
        lonely = self.part(connection, self._listeners.topics_of(connection))
        self._listeners.drop(connection)
        await self.hush(lonely)

    def listens(self, connection: str, topic: str) -> bool:
        """Whether the Connection gets what is published there."""
        return connection in self._listeners.of(topic)

    def anyone(self, topic: str) -> bool:
        """Whether a Connection of this node listens."""
        return bool(self._listeners.of(topic))

    def topics(self) -> list[str]:
        """Every topic somebody on this node listens to."""
        return self._listeners.topics()

    def hint(self, topic: str, hint: Hint) -> None:
        """One hint of the Broker."""
        if topic[0] == "c" and is_log_event(hint.data):
            self.logged(topic, hint)
        else:
            self._deliver(topic, hint, self._recipients(topic, hint))

    def logged(self, topic: str, hint: Hint) -> None:
        """One log event, from a hint or read from the log by who fills gaps."""
        seq = hint.data["seq"]
        verdict = self.order.judge(topic, seq)
        if verdict == "gap":
            self._missing(topic)
        elif verdict == "next":
            self.pass_on(topic, hint)

    def pass_on(self, topic: str, hint: Hint) -> None:
        """Deliver a log event as the newest of its Conversation, whatever came before it."""
        seq = hint.data["seq"]
        recipients = self._recipients(topic, hint)
        if recipients:
            spared = self.order.seen(topic, seq)
            self.order.track(topic, seq)
            self.order.advance(topic, seq)
            self._show(topic, hint, recipients.difference(spared) if spared else recipients)
        if hint.event in MEMBERSHIP:
            self._on_member(names.parse(topic).app, hint.data)

    def _show(self, topic: str, hint: Hint, recipients: frozenset[str] | set[str]) -> None:
        """Deliver a log event: to each as much of it as they may see."""
        beyond = self._horizons.beyond(topic, hint.data)
        self._deliver(topic, hint, recipients.difference(beyond) if beyond else recipients)
        for connection in recipients & beyond.keys():
            shown = copy_for(hint, data=veiled(hint.data, beyond[connection]))
            self._deliver(topic, shown, {connection})

    def send(self, connections: Iterable[str], topic: str, hint: Hint) -> None:
        """Deliver to these alone, behind whatever they have on hold."""
        self._deliver(topic, hint, set(connections))

    def _recipients(self, topic: str, hint: Hint) -> frozenset[str] | set[str]:
        listening = self._listeners.of(topic)
        if hint.exclude in listening:
            listening = listening - {hint.exclude}
        if hint.device is not None:
            _, app, user = names.parse(topic)
            listening = listening & set(self._sessions.of(app, user, hint.device))
        return listening

    def _deliver(self, topic: str, hint: Hint, recipients: frozenset[str] | set[str]) -> None:
        if self._held and not self._held.keys().isdisjoint(recipients):
            held = recipients & self._held.keys()
            recipients = recipients - held
            for connection in held:
                self._keep(connection, topic, hint)
        if recipients:
            self.delivered_total += len(recipients)
            self._emit(recipients, hint)

    def _emit(self, recipients: Iterable[str], hint: Hint) -> None:
        self._sockets.emit(
            recipients, hint.event, hint.data, volatile=hint.volatile, latest=hint.latest
        )

    def _keep(self, connection: str, topic: str, hint: Hint) -> None:
        waiting = self._held[connection]
        if len(waiting) < HELD_MAX:
            waiting.append((topic, hint))
        elif not hint.volatile:
            self._sockets.close(connection, "slow_consumer")

    def hold(self, connection: str) -> None:
        """Keep what comes for this Connection until `release`."""
        self._held.setdefault(connection, [])

    def release(self, connection: str, seen: Mapping[str, int] | None = None) -> None:
        """Let go what waited, without the log events in `seen` (topic -> seq known already)."""
        waiting = self._held.pop(connection, [])
        for topic, seq in (seen or {}).items():
            if self.listens(connection, topic):
                self.order.track(topic, seq)
                self.order.raise_floor(topic, connection, seq)
        for topic, hint in waiting:
            known = (seen or {}).get(topic, 0)
            if not (topic[0] == "c" and is_log_event(hint.data) and hint.data["seq"] <= known):
                self._emit((connection,), hint)

    def stats(self) -> dict[str, float]:
        """Counters for the metrics."""
        return {"topics": len(self._listeners.topics()), "delivered_total": self.delivered_total}


def is_log_event(data: Mapping[str, Any]) -> bool:
    """Log events carry `seq` and `id`; nothing else on a Conversation's topic has both."""
    return "seq" in data and "id" in data


def copy_for(hint: Hint, **changes: Any) -> Hint:
    """The hint with other fields."""
    return msgspec.structs.replace(hint, **changes)
