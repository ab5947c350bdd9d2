"""What lies below where a member sees from: an edit carries the body of what it changes. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

EDITED = "message:edited"


def veiled(data: dict[str, Any], from_seq: int) -> dict[str, Any]:
    """A log event for who sees from `from_seq`: an edit of what lies below has no body."""
    if data["type"] != EDITED or data["target"] >= from_seq:
        return data
    return {**{name: field for name, field in data.items() if name != "mentions"}, "body": None}


class Horizons:
    """By topic, the Connections that do not see all of it, and from which seq they do."""

    def __init__(self) -> None:
        self._from: dict[str, dict[str, int]] = {}

    def put(self, connection: str, topic: str, from_seq: int) -> None:
        """It sees from there; 0 is all. Who comes again sees from later, never from earlier."""
        if from_seq > 0:
            mine = self._from.setdefault(topic, {})
            mine[connection] = max(from_seq, mine.get(connection, 0))

    def drop(self, connection: str, topics: Iterable[str]) -> None:
        """It listens there no more."""
        for topic in topics:
            mine = self._from.get(topic)
            if mine is not None and mine.pop(connection, None) is not None and not mine:
                del self._from[topic]

    def beyond(self, topic: str, data: Mapping[str, Any]) -> dict[str, int]:
        """Who must get this event of the log `veiled`, with where they see from."""
        mine = self._from.get(topic)
        if mine is None or data["type"] != EDITED:
            return {}
        return {name: from_seq for name, from_seq in mine.items() if data["target"] < from_seq}
