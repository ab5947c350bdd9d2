"""Joining and leaving Conversations, as seen by live sockets: they begin and cease to listen."""

from collections.abc import Callable, Mapping
from typing import Any

from signaling import topics as names
from signaling.fanout import Fanout
from signaling.ports import Hint
from signaling.sessions import Sessions
from signaling.tail import Tail
from signaling.tasks import Tasks


class Membership:
    """Applies `member:joined` and `member:left`, whichever way they come; again is nothing."""

    def __init__(self, fanout: Fanout, sessions: Sessions, tail: Tail, tasks: Tasks) -> None:
        # passed in
        self._fanout = fanout
        self._sessions = sessions
        self._tail = tail
        self._tasks = tasks
        # filled at composition
        self.on_left: list[Callable[[str, str, str], None]] = []
        """Told (app, user, conversation) when a user of this node is out."""

    def apply(self, app: str, data: Mapping[str, Any]) -> None:
        """`data` is the log event, with the `user` it is about."""
        user = data.get("user")
        if user is None:
            return
        if data["type"] == "member:joined":
            self._joined(app, user, data)
        else:
            self._left(app, user, data)

    def _joined(self, app: str, user: str, data: Mapping[str, Any]) -> None:
        topic = names.conversation(app, data["conversation"])
        fresh = [
            connection
            for connection in self._sessions.of(app, user)
            if not self._fanout.listens(connection, topic)
        ]
        if fresh:
            self._tasks.spawn(self._begin(topic, fresh, data), f"listen {topic}")

    async def _begin(self, topic: str, fresh: list[str], data: Mapping[str, Any]) -> None:
        """Newcomers get the joining itself, and from the log what came while we subscribed."""
        fanout, seq = self._fanout, data["seq"]
        for connection in fresh:
            if self._sessions.get(connection) is None:
                continue
            listening = fanout.listen(connection, [topic])
            fanout.send([connection], topic, Hint(event=data["type"], data=dict(data)))
            await listening
        fanout.order.track(topic, seq)
        for connection in fresh:
            fanout.order.raise_floor(topic, connection, seq)
        self._tail.missing(topic)

    def _left(self, app: str, user: str, data: Mapping[str, Any]) -> None:
        topic = names.conversation(app, data["conversation"])
        mine = [c for c in self._sessions.of(app, user) if self._fanout.listens(c, topic)]
        last = self._fanout.order.last(topic)
        if last is None or last < data["seq"]:
            self._fanout.send(mine, topic, Hint(event=data["type"], data=dict(data)))
        for connection in mine:
            self._tasks.spawn(self._fanout.unlisten(connection, [topic]), f"unlisten {topic}")
        for told in self.on_left:
            told(app, user, data["conversation"])
