"""A User's Device as a program: its requests, and the feed of events."""

import asyncio
import inspect
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

from signaling.client.feed import Feed
from signaling.client.handout import Handout
from signaling.client.link import Link, pause_s
from signaling.client.store import MemoryStore, Store
from signaling.errors import Refused

log = logging.getLogger("signaling.client")

LOG_EVENTS = (
    "message:created",
    "message:edited",
    "message:recalled",
    "message:pinned",
    "reaction:changed",
    "member:joined",
    "member:left",
    "member:updated",
    "member:banned",
    "member:unbanned",
    "conversation:updated",
    "call:ended",
    "file:ready",
)
OWN_EVENTS = (*LOG_EVENTS, "session:ready", "session:expiring", "disconnect", "connect_error")
HISTORY_PAGE = 100
QUEUE_EVENTS = 10_000
"""Events a program may leave unread; then reading from the socket waits for it."""

Token = str | Callable[[], str] | Callable[[], Awaitable[str]]


class Client:
    """A User's Device, as a program.

    `token` is a string, or a function, plain or async, that gets a fresh one: it is asked before
    every connection, and when the token in use runs out. Raises Refused for what the server
    refuses, and Refused `timeout` or `unavailable` when it cannot be reached.
    """

    def __init__(
        self,
        url: str,
        token: Token,
        *,
        device: str | None = None,
        store: Store | None = None,
        timeout_s: float = 10.0,
    ) -> None:
        # passed in
        self._token = token
        self._device = device or f"py-{uuid.uuid4().hex[:12]}"
        self._store = store or MemoryStore()
        # made here
        self._handout = Handout(self._store, QUEUE_EVENTS)
        self._link = Link(
            url,
            self._auth,
            renewable=callable(token),
            timeout_s=timeout_s,
            ended=self._handout.end,
        )
        self._feed = Feed(self._store, self._read_history)
        self._turn = asyncio.Lock()
        self._cursor = self._store.cursor()
        """The last one received: what came before it waits in the handout, or is done with."""
        self.session: dict[str, Any] = {}
        """The last `session:ready`."""
        self._listen()

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            await self.close()
        else:
            await self._link.close()

    async def connect(self) -> dict[str, Any]:
        """Connect and wait for `session:ready`, which is returned."""
        await self._link.open()
        return self.session

    async def close(self) -> None:
        """Leave; the event handed out last is done with. Requests are refused from now on."""
        self._handout.done()
        await self._link.close()

    def on(self, event: str, handler: Callable[[dict[str, Any]], Any]) -> None:
        """Call `handler` for an event outside the log: `typing:changed`, `call:ringing`, ..."""
        if event in OWN_EVENTS:
            raise ValueError(f"{event} is the client's own: see events() and session")
        self._link.on(event, handler)

    async def request(self, event: str, **payload: Any) -> dict[str, Any]:
        """One request, one answer. Raises Refused."""
        await self._link.until_ready()
        return await self._link.call(event, payload)

    async def send(
        self,
        conversation: str,
        body: dict[str, Any],
        *,
        kind: str = "text",
        client_id: str | None = None,
        attempts: int = 8,
        **more: Any,
    ) -> dict[str, Any]:
        """Send a message until it is answered, at most `attempts` times, with one client_id.

        Answers `{id, seq, at, duplicate}`. Raises Refused when it is refused for good.
        """
        payload = {"conversation": conversation, "type": kind, "body": body, **more}
        payload["client_id"] = client_id or str(uuid.uuid4())
        for attempt in range(1, attempts + 1):
            try:
                return await self.request("message:send", **payload)
            except Refused as refused:
                if not refused.retryable or attempt == attempts:
                    raise
                await asyncio.sleep(pause_s(attempt, refused))
        raise AssertionError("unreachable")

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        """Events of every log of the user, each conversation's in order, from now on.

        An event is done with when the next is asked for, or the client is closed in order; then the
        store moves on. Ends when the client is closed; raises what made it give up, Refused mostly.
        """
        while (event := await self._handout.take()) is not None:
            yield event

    async def _auth(self) -> dict[str, Any]:
        token = self._token() if callable(self._token) else self._token
        if inspect.isawaitable(token):
            token = await token
        auth: dict[str, Any] = {"token": token, "device": self._device}
        return auth | ({"cursor": self._cursor} if self._cursor else {})

    def _listen(self) -> None:
        self._link.on("session:ready", self._on_ready)
        for event in LOG_EVENTS:
            self._link.on(event, self._on_event)

    async def _on_ready(self, session: dict[str, Any]) -> None:
        self.session = session
        self._link.is_ready((session["expires_at"] - session["server_time"]) / 1000)
        async with self._turn, self._or_anew():
            for conversation in session["missed"].get("conversations", ()):
                await self._take_missed(conversation)
            await self._hand_out()
            self._cursor = session["cursor"]
            self._handout.mark(session["cursor"])
            self._link.is_well()

    async def _take_missed(self, conversation: dict[str, Any]) -> None:
        if "events" not in conversation:
            await self._feed.begin(conversation["id"], conversation["head"])
            return
        for event in conversation["events"]:
            await self._feed.take(event)
        if conversation.get("limited"):
            await self._feed.catch_up(conversation["id"])

    async def _on_event(self, event: dict[str, Any]) -> None:
        async with self._turn, self._or_anew():
            await self._feed.take(event)
            await self._hand_out()

    @asynccontextmanager
    async def _or_anew(self) -> AsyncIterator[None]:
        """History that cannot be read now leaves a gap: a new session tells it again."""
        try:
            yield
        except Refused as refused:
            log.warning("history was not read: %s", refused.message)
            await self._link.drop()

    async def _hand_out(self) -> None:
        for event in self._feed.drain():
            await self._handout.put(event)

    async def _read_history(self, conversation: str, after: int) -> list[dict[str, Any]]:
        wanted = {"conversation": conversation, "after": after, "limit": HISTORY_PAGE}
        try:
            return list((await self.request("history:get", **wanted))["events"])
        except Refused as refused:
            if refused.code not in {"not_found", "forbidden"}:
                raise
            return []  # Who is out of a conversation reads no more of it.
