"""Joining and leaving Conversations, as seen by live sockets: they begin and cease to listen.

Both take effect at once, on this turn of the loop; only the Broker is told later. So whatever is
delivered next goes to those who are members then.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from signaling import topics as names
from signaling.fanout import Fanout
from signaling.model import Identity, Reach
from signaling.ports import Hint
from signaling.sessions import Sessions
from signaling.tail import Tail
from signaling.tasks import Tasks


class _Newest(NamedTuple):
    seq: int
    inside: bool


class Membership:
    """Applies `member:joined` and `member:left`, whichever way and how often they come; one that
    is overtaken by a later one is nothing.
    """

    def __init__(self, fanout: Fanout, sessions: Sessions, tail: Tail, tasks: Tasks) -> None:
        # passed in
        self._fanout = fanout
        self._sessions = sessions
        self._tail = tail
        self._tasks = tasks
        # made here
        self._newest: dict[tuple[str, str], dict[str, _Newest]] = {}
        """By user with sockets here and Conversation: the latest we heard of."""
        # filled at composition
        self.on_left: list[Callable[[str, str, str], None]] = []
        """Told (app, user, conversation) when a user of this node is out."""

    def apply(self, app: str, data: Mapping[str, Any]) -> None:
        """`data` is the log event, with the `user` it is about."""
        user = data.get("user")
        if user is None or not self._news(app, user, data):
            return
        if data["type"] == "member:joined":
            self._joined(app, user, data)
        else:
            self._left(app, user, data)

    def _news(self, app: str, user: str, data: Mapping[str, Any]) -> bool:
        """Keep it, unless we have heard as much. Without sockets there is nothing to keep it for:
        who connects reads where they are a member.
        """
        if not self._sessions.of(app, user):
            return True
        mine = self._newest.setdefault((app, user), {})
        before = mine.get(data["conversation"])
        if before is not None and before.seq >= data["seq"]:
            return False
        mine[data["conversation"]] = _Newest(data["seq"], data["type"] == "member:joined")
        return True

    def enter(self, who: Identity, reaches: Iterable[Reach]) -> list[str]:
        """A new Connection listens where its user is a member, unless they were told to be out
        while that was read. Gives the topics, for `Fanout.hear`.
        """
        newest = self._newest.get((who.app, who.user), {})
        entered = []
        for reach in reaches:
            latest = newest.get(reach.conversation)
            if latest is None or latest.inside:
                topic = names.conversation(who.app, reach.conversation)
                self._fanout.enter(who.connection, topic, reach.head, reach.from_seq)
                entered.append(topic)
        return entered

    def gone(self, app: str, user: str) -> None:
        """A Connection closed; the last one of a user takes along what was kept for it."""
        if not self._sessions.of(app, user):
            self._newest.pop((app, user), None)

    def _joined(self, app: str, user: str, data: Mapping[str, Any]) -> None:
        """Newcomers get the joining itself, and what comes after it."""
        fanout, topic = self._fanout, names.conversation(app, data["conversation"])
        fresh = [c for c in self._sessions.of(app, user) if not fanout.listens(c, topic)]
        if not fresh:
            return
        fanout.send(fresh, topic, Hint(event=data["type"], data=dict(data)))
        for connection in fresh:
            fanout.enter(connection, topic, data["seq"], data.get("from_seq", 0))
        self._tasks.spawn(self._hear(topic), f"listen {topic}")

    async def _hear(self, topic: str) -> None:
        """From the log comes what was published while we subscribed."""
        await self._fanout.hear([topic])
        self._tail.missing(topic)

    def _left(self, app: str, user: str, data: Mapping[str, Any]) -> None:
        fanout, topic = self._fanout, names.conversation(app, data["conversation"])
        mine = [c for c in self._sessions.of(app, user) if fanout.listens(c, topic)]
        last = fanout.order.last(topic)
        if last is None or last < data["seq"]:
            fanout.send(mine, topic, Hint(event=data["type"], data=dict(data)))
        lonely = [name for connection in mine for name in fanout.part(connection, [topic])]
        if lonely:
            self._tasks.spawn(fanout.hush(lonely), f"unlisten {topic}")
        for told in self.on_left:
            told(app, user, data["conversation"])
