"""This process: the gateway's questions go to services, the Broker's hints go to sockets."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol

from signaling import topics as names
from signaling.auth.tokens import Claims, shown_name
from signaling.dispatch import Table, dispatch
from signaling.errors import Refused
from signaling.fanout import Fanout
from signaling.membership import Membership
from signaling.model import MEMBERSHIP, Identity, Reach
from signaling.ports import Broker, Clock, Connections, Hint, NodeRegistry, Remote
from signaling.sessions import Sessions
from signaling.tail import LogReader, Tail
from signaling.tasks import Tasks

log = logging.getLogger(__name__)

ROUND_S = 1.0
"""How often the log's end is read, and tokens are checked for their end."""
ANNOUNCE_S = 2.0
"""Less than passes between two looks at who is dead: what a node held runs out before it is missed,
though it was claimed after the last word.
"""
DEVICE_MAX_CHARS = 128

Verify = Callable[[str], Awaitable[Claims]]
"""Checks a token; raises Refused unauthorized."""
Answer = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
"""Answers another node's request of one verb; raises Refused."""


class Sync(Protocol):
    """What a Connection missed."""

    async def ready(self, who: Identity, cursor: str | None) -> dict[str, Any]:
        """`{cursor, missed}` of `session:ready`."""


class Members(Protocol):
    """Who is in which Conversation."""

    async def reaches(self, app: str, user: str) -> list[Reach]:
        """Every Conversation of a user."""


class Users(Protocol):
    """Who has been here."""

    async def seen(
        self,
        app: str,
        user: str,
        device: str | None,
        name: str | None,
        at: int,
        *,
        issued_at: int = 0,
        label: str | None = None,
    ) -> None:
        """Raises Refused unauthorized when the device was signed out after the token was made."""


class Lifecycle(Protocol):
    """A service that follows Connections as they come and go."""

    async def opened(self, who: Identity) -> None:
        """The Connection listens already; `session:ready` has not been written."""

    async def closed(self, who: Identity, reason: str) -> None:
        """The socket is gone."""


class Node:
    """Implements the gateway's Hooks."""

    def __init__(
        self,
        *,
        name: str,
        broker: Broker,
        registry: NodeRegistry,
        connections: Connections,
        log: LogReader,
        members: Members,
        users: Users,
        sync: Sync,
        verify: Verify,
        clock: Clock,
    ) -> None:
        # passed in
        self.name = name
        self._broker = broker
        self._registry = registry
        self._sockets = connections
        self._members = members
        self._users = users
        self._sync = sync
        self._verify = verify
        self._clock = clock
        # filled at composition
        self.table: Table = {}
        self.lifecycles: Sequence[Lifecycle] = ()
        self.verbs: dict[str, Answer] = {}
        self.on_gap: list[Callable[[], None]] = []
        self.controls: dict[str, Callable[[str, str, dict[str, Any]], None]] = {}
        """Hints for this node, not for sockets: called with (app, the topic's name, data)."""
        self.seen: dict[str, Callable[[str, Hint], None]] = {}
        """Hints that are also told to a service here, after the sockets: (app, hint)."""
        self.ready_fields: dict[str, Any] = {}
        """Constant fields of `session:ready`: limits, features."""
        self.ice_servers: Callable[[Identity], list[dict[str, Any]]] = lambda _: []
        # made here
        self._tasks = Tasks()
        self.sessions = Sessions()
        self._claims: dict[str, Claims] = {}
        self._loop = asyncio.get_running_loop()
        self._hints: list[tuple[str, Hint]] = []
        """Heard in this turn of the loop."""
        self.fanout = Fanout(broker, connections, self.sessions, self._missing, self._member)
        self.tail = Tail(log, lambda: self.fanout, self._member, self._tasks)
        self.membership = Membership(self.fanout, self.sessions, self.tail, self._tasks)

    async def start(self) -> None:
        """Join the other nodes."""
        await self.tail.start()
        await self._broker.start(self._hint, self._asked, self._gap)
        await self._announce()
        self._tasks.every(ANNOUNCE_S, self._alive, "announce")
        self._tasks.every(ROUND_S, self._expire, "expire sessions")
        self._tasks.every(ROUND_S, self.tail.sweep, "tail")

    async def close(self) -> None:
        """Leave the other nodes; sockets are the gateway's to close, before."""
        await self._tasks.close()
        try:
            await self._registry.withdraw(self.name)
        except Refused as error:
            log.warning("cannot withdraw: %s", error.message)
        await self._broker.close()

    # Hooks

    async def authenticate(self, auth: Mapping[str, Any], remote: Remote) -> Identity:
        """Who a CONNECT's `{token, device?, device_name?}` is. Raises Refused."""
        token, device = auth.get("token"), auth.get("device")
        if not isinstance(token, str):
            raise Refused("unauthorized", "auth.token is missing")
        claims = await self._verify(token)
        named = claims.device if device is None else device
        device = remote.connection if named is None else named
        if not isinstance(device, str) or not 0 < len(device) <= DEVICE_MAX_CHARS:
            raise Refused("bad_request", "auth.device must be text of 1 to 128 characters")
        who = claims.identity(remote.connection, device)
        await self._users.seen(
            who.app,
            who.user,
            None if named is None else who.device,
            claims.name,
            self._clock(),
            issued_at=claims.issued_at or 0,
            label=shown_name(auth.get("device_name")),
        )
        self._claims[who.connection] = claims
        return who

    async def opened(self, who: Identity, cursor: str | None) -> dict[str, Any]:
        """Listen first, read then: what happens in between waits behind `session:ready`."""
        claims = self._claims.pop(who.connection, None)
        self._keep(who, claims)
        self.fanout.hold(who.connection)
        await self._listen(who)
        for lifecycle in self.lifecycles:
            await lifecycle.opened(who)
        ready = await self._sync.ready(who, cursor)
        self.fanout.release(who.connection, self._heads(who, ready))
        return {
            **self.ready_fields,
            "user": who.user,
            "device": who.device,
            "app": who.app,
            "name": who.name,
            "server_time": self._clock(),
            "expires_at": who.expires_at,
            "ice_servers": self.ice_servers(who),
            **ready,
        }

    async def _listen(self, who: Identity) -> None:
        """The user's topic before their Conversations' are read: a joining in between is heard."""
        await self.fanout.listen(who.connection, [names.user(who.app, who.user)])
        await self._listen_as_admin(who)
        reaches = await self._members.reaches(who.app, who.user)
        await self.fanout.hear(self.membership.enter(who, reaches))

    def _heads(self, who: Identity, ready: dict[str, Any]) -> dict[str, int]:
        """How far `session:ready` itself brings the Connection."""
        return {
            names.conversation(who.app, entry["id"]): entry["head"]
            for entry in ready.get("missed", {}).get("conversations", ())
            if "head" in entry
        }

    def request(
        self, who: Identity, event: str, payload: Any
    ) -> Coroutine[Any, Any, dict[str, Any]]:
        """One request, by who the Connection is now: its token may have been refreshed."""
        current = self.sessions.get(who.connection)
        if current is None:
            raise Refused("unauthorized", "this connection is closed")
        if current.expires_at <= self._clock():
            raise Refused("unauthorized", "token has expired")
        return dispatch(self.table, current, event, payload)

    async def closed(self, who: Identity, reason: str) -> None:
        """The socket is gone; nothing is emitted to it any more."""
        self._claims.pop(who.connection, None)
        current = self.sessions.remove(who.connection)
        self.membership.gone(who.app, who.user)
        await self.fanout.drop(who.connection)
        if current is not None:
            for lifecycle in self.lifecycles:
                await lifecycle.closed(current, reason)

    async def refresh(self, who: Identity, token: str) -> int:
        """Take a new token on the live socket; the UTC ms it runs out. Raises Refused."""
        claims = await self._verify(token)
        if (claims.app, claims.user) != (who.app, who.user):
            raise Refused("forbidden", "the token is for another user")
        renewed = claims.identity(who.connection, who.device)
        self._keep(renewed, claims)
        await self._listen_as_admin(renewed)
        return renewed.expires_at

    async def _listen_as_admin(self, who: Identity) -> None:
        """A token may give the app's administration, or take it."""
        change = self.fanout.listen if who.grants.admin else self.fanout.unlisten
        await change(who.connection, [names.admins(who.app)])

    def _keep(self, who: Identity, claims: Claims | None) -> None:
        if claims is None:
            self.sessions.put(who)
        else:
            self.sessions.put(who, claims.key, claims.jti, claims.issued_at or 0)

    async def _expire(self) -> None:
        expiring, expired = self.sessions.due(self._clock())
        for who in expiring:
            data = {"expires_at": who.expires_at}
            self._sockets.emit((who.connection,), "session:expiring", data)
        for who in expired:
            self._sockets.close(who.connection, "token_expired")

    # Broker

    def _hint(self, topic: str, hint: Hint) -> None:
        """Told on the next turn of the loop: the ack of whoever caused it is written before."""
        if not self._hints:
            self._loop.call_soon(self._tell)
        self._hints.append((topic, hint))

    def _tell(self) -> None:
        """Whatever becomes of one, the others are told."""
        hints, self._hints = self._hints, []
        for nth, (topic, hint) in enumerate(hints, start=1):
            try:
                self._told(topic, hint)
            except BaseException:
                self._hints[:0] = hints[nth:]
                if self._hints:
                    self._loop.call_soon(self._tell)
                raise

    def _told(self, topic: str, hint: Hint) -> None:
        if topic[0] == "u" and hint.event in MEMBERSHIP:
            self._member(names.parse(topic).app, hint.data)
        elif hint.event == "session:revoked":
            self._revoked(topic, hint.data)
        elif hint.event in self.controls:
            _, app, name = names.parse(topic)
            self.controls[hint.event](app, name, hint.data)
        else:
            self.fanout.hint(topic, hint)
            if hint.event in self.seen:
                self.seen[hint.event](names.parse(topic).app, hint)

    def _revoked(self, topic: str, data: Mapping[str, Any]) -> None:
        """Cut the sockets of a user: all, a device's, or those a key or token opened."""
        _, app, user = names.parse(topic)
        words = ("device", "key", "jti", "before")
        self.cut({"app": app, "user": user, **{word: data.get(word) for word in words}})

    def cut(self, fits: Mapping[str, Any]) -> None:
        """Close the sockets here that fit; see `Sessions.fitting`."""
        for connection in self.sessions.fitting(**fits):
            self._sockets.close(connection, "revoked")

    async def _asked(self, verb: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.verbs.get(verb)
        if answer is None:
            raise Refused("unsupported", f"no node answers {verb!r}")
        return await answer(body)

    def _gap(self) -> None:
        """The Broker was away: what the log holds is read at once, the rest is told anew."""
        self._tasks.spawn(self._after_gap(), "after a gap")

    async def _after_gap(self) -> None:
        await self._announce()
        await self.tail.round()
        for told in self.on_gap:
            told()

    def _missing(self, topic: str) -> None:
        self.tail.missing(topic)

    def _member(self, app: str, data: Mapping[str, Any]) -> None:
        self.membership.apply(app, data)

    async def _alive(self) -> None:
        await self._registry.announce(self.name, {})

    async def _announce(self) -> None:
        try:
            await self._alive()
        except Refused as error:
            log.warning("cannot announce this node: %s", error.message)

    def stats(self) -> dict[str, float]:
        """Counters for the metrics."""
        filled = {"connections": len(self.sessions), "filled_total": self.tail.filled_total}
        return {**self.fanout.stats(), **filled}
