"""One connection that comes back by itself, its requests, and the feed of events."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Any, Self

import socketio

from signaling.client.feed import Feed
from signaling.client.store import MemoryStore, Store
from signaling.errors import Refused

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
HISTORY_PAGE = 100
QUEUE_EVENTS = 10_000
"""Events a program may leave unread; then reading from the socket waits for it."""


class Client:
    """A User's Device, as a program.

    `token` is a string, or a function that mints a fresh one for every connection. Raises Refused
    for what the server refuses, and Refused `timeout` or `unavailable` when it cannot be reached.
    """

    def __init__(
        self,
        url: str,
        token: str | Callable[[], str],
        *,
        device: str | None = None,
        store: Store | None = None,
        timeout_s: float = 10.0,
    ) -> None:
        # passed in
        self._url = url
        self._token = token if callable(token) else lambda: token
        self._device = device or f"py-{uuid.uuid4().hex[:12]}"
        self._store = store or MemoryStore()
        self._timeout_s = timeout_s
        # made here
        self._socket = socketio.AsyncClient(reconnection_delay_max=5)
        self._feed = Feed(self._store, self._read_history)
        self._turn = asyncio.Lock()
        self._events: asyncio.Queue[dict[str, Any]] = asyncio.Queue(QUEUE_EVENTS)
        self._ready = asyncio.Event()
        self._refused: Refused | None = None
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
        await self.close()

    async def connect(self) -> dict[str, Any]:
        """Connect and wait for `session:ready`, which is returned."""
        try:
            await self._socket.connect(self._url, auth=self._auth, wait_timeout=self._timeout_s)
            await self._wait_ready()
        except socketio.exceptions.ConnectionError as error:
            await self.close()
            raise self._refused or Refused("unavailable", str(error)) from error
        return self.session

    async def close(self) -> None:
        """Leave; requests under way are refused as unavailable."""
        await self._socket.disconnect()

    def on(self, event: str, handler: Callable[[dict[str, Any]], Any]) -> None:
        """Call `handler` for an event outside the log: `typing:changed`, `call:ringing`, ..."""
        if event in LOG_EVENTS:
            raise ValueError(f"{event} is in the log: read it from events()")
        self._socket.on(event, handler)

    async def request(self, event: str, **payload: Any) -> dict[str, Any]:
        """One request, one answer. Raises Refused."""
        await self._wait_ready()
        try:
            ack = await self._socket.call(event, payload, timeout=self._timeout_s)
        except socketio.exceptions.TimeoutError as error:
            raise Refused("timeout", f"no answer to {event}") from error
        except socketio.exceptions.SocketIOError as error:
            raise Refused("unavailable", str(error)) from error
        if not ack["ok"]:
            wrong = ack["error"]
            raise Refused(
                wrong["code"],
                wrong["message"],
                retryable=wrong["retryable"],
                retry_after_ms=wrong.get("retry_after_ms"),
            )
        return dict(ack)

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
                await asyncio.sleep(_pause_s(attempt, refused))
        raise AssertionError("unreachable")

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        """Events of every log of the user, each conversation's in order and once, from now on."""
        while True:
            yield await self._events.get()

    async def _wait_ready(self) -> None:
        try:
            await asyncio.wait_for(self._ready.wait(), self._timeout_s)
        except TimeoutError as error:
            raise Refused("unavailable", "not connected") from error

    def _auth(self) -> dict[str, Any]:
        auth: dict[str, Any] = {"token": self._token(), "device": self._device}
        cursor = self._store.cursor()
        return auth | ({"cursor": cursor} if cursor else {})

    def _listen(self) -> None:
        self._socket.on("session:ready", self._on_ready)
        self._socket.on("disconnect", lambda *_: self._ready.clear())
        self._socket.on("connect_error", self._on_connect_error)
        for event in LOG_EVENTS:
            self._socket.on(event, self._on_event)

    def _on_connect_error(self, data: Any = None) -> None:
        detail = data.get("data") if isinstance(data, dict) else None
        if isinstance(detail, dict) and "code" in detail:
            self._refused = Refused(detail["code"], str(detail.get("message", "")))

    async def _on_ready(self, session: dict[str, Any]) -> None:
        self.session = session
        self._ready.set()
        async with self._turn:
            for conversation in session["missed"].get("conversations", ()):
                await self._take_missed(conversation)
            self._store.set_cursor(session["cursor"])
            await self._hand_out()

    async def _take_missed(self, conversation: dict[str, Any]) -> None:
        if "events" not in conversation:
            self._feed.begin(conversation["id"], conversation["head"])
            return
        for event in conversation["events"]:
            await self._feed.take(event)
        if conversation.get("limited"):
            await self._feed.catch_up(conversation["id"])

    async def _on_event(self, event: dict[str, Any]) -> None:
        async with self._turn:
            await self._feed.take(event)
            await self._hand_out()

    async def _hand_out(self) -> None:
        for event in self._feed.drain():
            await self._events.put(event)

    async def _read_history(self, conversation: str, after: int) -> list[dict[str, Any]]:
        page = await self.request(
            "history:get", conversation=conversation, after=after, limit=HISTORY_PAGE
        )
        return list(page["events"])


def _pause_s(attempt: int, refused: Refused) -> float:
    if refused.retry_after_ms is not None:
        return refused.retry_after_ms / 1000
    return min(0.2 * 2.0**attempt, 5.0)
