"""The order of log events on their way to sockets: per Conversation what was delivered last.

Pure. A topic is tracked while somebody listens to it. A floor is what one Connection has seen
by other means (its `session:ready`), when that is further than what this node has delivered.
"""

from collections.abc import Iterable
from typing import Literal

Verdict = Literal["next", "old", "gap"]


class Order:
    """Last delivered seq by topic, and floors by topic and Connection."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}
        self._floors: dict[str, dict[str, int]] = {}

    def track(self, topic: str, seq: int) -> None:
        """Start from `seq` unless the topic is tracked already."""
        self._last.setdefault(topic, seq)

    def forget(self, topics: Iterable[str]) -> None:
        """Nobody listens to them any more."""
        for topic in topics:
            self._last.pop(topic, None)
            self._floors.pop(topic, None)

    def last(self, topic: str) -> int | None:
        """Seq delivered last, None for a topic nobody listens to."""
        return self._last.get(topic)

    def judge(self, topic: str, seq: int) -> Verdict:
        """Whether `seq` is the one to deliver now."""
        last = self._last.get(topic)
        if last is None or seq == last + 1:
            return "next"
        return "old" if seq <= last else "gap"

    def advance(self, topic: str, seq: int) -> None:
        """`seq` is being delivered; floors it passes have done their work."""
        if topic in self._last:
            self._last[topic] = seq
        floors = self._floors.get(topic)
        if floors:
            kept = {connection: floor for connection, floor in floors.items() if floor > seq}
            if kept:
                self._floors[topic] = kept
            else:
                del self._floors[topic]

    def raise_floor(self, topic: str, connection: str, seq: int) -> None:
        """`connection` has seen the topic up to `seq`; a no-op when the node is past that."""
        last = self._last.get(topic)
        if last is not None and last < seq:
            floors = self._floors.setdefault(topic, {})
            floors[connection] = max(seq, floors.get(connection, 0))

    def drop(self, connection: str, topics: Iterable[str]) -> None:
        """Forget the floors of a Connection."""
        for topic in topics:
            floors = self._floors.get(topic)
            if floors:
                floors.pop(connection, None)

    def seen(self, topic: str, seq: int) -> list[str]:
        """Connections that must not get `seq`: it is at or below their floor."""
        floors = self._floors.get(topic)
        if not floors:
            return []
        return [connection for connection, floor in floors.items() if seq <= floor]
