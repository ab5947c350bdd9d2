"""Who listens to what on this node: topics and the Connections that get their hints. Pure maps."""

from collections.abc import Iterable

NOBODY: frozenset[str] = frozenset()


class Listeners:
    """Topic -> Connections and back."""

    def __init__(self) -> None:
        self._connections: dict[str, set[str]] = {}
        self._topics: dict[str, set[str]] = {}

    def add(self, connection: str, topics: Iterable[str]) -> None:
        """`connection` gets what is published on `topics` from now on."""
        mine = self._topics.setdefault(connection, set())
        for topic in topics:
            mine.add(topic)
            self._connections.setdefault(topic, set()).add(connection)

    def remove(self, connection: str, topics: Iterable[str]) -> list[str]:
        """The topics among `topics` that nobody on this node listens to any more."""
        mine = self._topics.get(connection, set())
        lonely = []
        for topic in topics:
            mine.discard(topic)
            others = self._connections.get(topic)
            if others is None:
                continue
            others.discard(connection)
            if not others:
                del self._connections[topic]
                lonely.append(topic)
        return lonely

    def drop(self, connection: str) -> list[str]:
        """Forget a Connection; the topics nobody listens to any more."""
        topics = list(self._topics.get(connection, ()))
        lonely = self.remove(connection, topics)
        self._topics.pop(connection, None)
        return lonely

    def of(self, topic: str) -> frozenset[str] | set[str]:
        """Connections that listen to a topic (not a copy: read it at once)."""
        return self._connections.get(topic, NOBODY)

    def topics_of(self, connection: str) -> frozenset[str] | set[str]:
        """What a Connection listens to (not a copy)."""
        return self._topics.get(connection, NOBODY)

    def topics(self) -> list[str]:
        """Every topic somebody listens to."""
        return list(self._connections)
