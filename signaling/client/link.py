"""One Socket.IO connection that comes back by itself, until it is closed or refused for good."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

import socketio

from signaling.errors import RETRYABLE, Refused

log = logging.getLogger("signaling.client")

Auth = Callable[[], Awaitable[dict[str, Any]]]
Handler = Callable[[dict[str, Any]], Any]
Ended = Callable[[BaseException | None], None]

UNAUTHORIZED_MAX = 3
"""A new token may heal `unauthorized`, but not for ever."""
PAUSE_S, PAUSE_MAX_S = 0.2, 5.0


class Link:
    """Connects, waits for `session:ready`, and does both again whenever the socket is lost.

    `auth` is asked before every attempt; Refused of a retryable code makes another attempt later,
    and any other error of it ends the Link. `renewable` says that its token may change.
    """

    def __init__(
        self, url: str, auth: Auth, *, renewable: bool, timeout_s: float, ended: Ended
    ) -> None:
        # passed in
        self._url = url
        self._auth = auth
        self._renewable = renewable
        self._timeout_s = timeout_s
        self._ended = ended
        # made here
        self._handlers: dict[str, Handler] = {}
        self._socket = socketio.AsyncClient(reconnection=False)
        """A new one for every attempt: what is left of an old one is in nobody's way."""
        self._answers: set[asyncio.Future[Any]] = set()
        self._ready = asyncio.Event()
        """There is a session, or there will be none any more."""
        self._stirred = asyncio.Event()
        """The socket was lost, or the token runs out."""
        self._lost = self._expiring = False
        self._ends_at = 0.0
        """When the token of the last session runs out."""
        self._failed = 0
        """Attempts since all was well."""
        self._refused: Refused | None = None
        self._error: BaseException | None = None
        self._keeper: asyncio.Task[None] | None = None

    def on(self, event: str, handler: Handler) -> None:
        """Call `handler` with the data of an event, on this socket and the next ones."""
        self._handlers[event] = handler
        self._socket.on(event, handler)

    async def open(self) -> None:
        """The first session. Raises Refused, and then nothing is left open."""
        try:
            await self._attempt()
        except BaseException:
            await self.drop()
            raise
        self._keeper = asyncio.create_task(self._keep(), name="keep the connection")
        self._keeper.add_done_callback(self._kept)

    async def close(self) -> None:
        """End for good."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        await self.drop()

    async def drop(self) -> None:
        """Lose this socket; unless the Link was closed there will be another after a while."""
        await self._socket.disconnect()

    def is_ready(self, lifetime_s: float) -> None:
        """`session:ready` has come, and the token is good for so long."""
        self._ends_at = time.monotonic() + lifetime_s
        self._ready.set()

    def is_well(self) -> None:
        """What the session began with is dealt with."""
        self._failed = 0

    async def until_ready(self) -> None:
        """Wait for a session. Raises Refused, or what ended the Link."""
        try:
            await asyncio.wait_for(self._ready.wait(), self._timeout_s)
        except TimeoutError as error:
            raise Refused("unavailable", "not connected") from error
        if self._error is not None:
            raise self._error

    async def call(self, event: str, payload: dict[str, Any]) -> dict[str, Any]:
        """One request, its `ok` answer. Raises Refused."""
        try:
            ack = await asyncio.wait_for(self._answer(event, payload), self._timeout_s)
        except TimeoutError as error:
            raise Refused("timeout", f"no answer to {event}") from error
        except socketio.exceptions.SocketIOError as error:
            raise Refused("unavailable", str(error)) from error
        if not ack["ok"]:
            raise _refused(ack["error"])
        return dict(ack)

    async def _answer(self, event: str, payload: dict[str, Any]) -> Any:
        answer = asyncio.get_running_loop().create_future()

        def answered(ack: Any) -> None:
            if not answer.done():
                answer.set_result(ack)

        self._answers.add(answer)
        try:
            await self._socket.emit(event, payload, callback=answered)
            return await answer
        finally:
            self._answers.discard(answer)

    # the keeper

    async def _keep(self) -> None:
        while True:
            await self._stirred.wait()
            self._stirred.clear()
            if self._lost:
                await self._again()
            elif self._expiring and self._renewable:
                await self._refresh()

    def _kept(self, keeper: "asyncio.Task[None]") -> None:
        error = None if keeper.cancelled() else keeper.exception()
        self._error = error or Refused("unavailable", "the client is closed", retryable=False)
        self._ready.set()
        self._ended(error)

    async def _again(self) -> None:
        """Until there is a session. Raises Refused when that is pointless."""
        after = Refused("unavailable", "the connection was lost")
        unauthorized = UNAUTHORIZED_MAX if self._renewable else 1
        if not self._renewable and time.monotonic() >= self._ends_at:
            raise Refused("unauthorized", "the token ran out")
        while unauthorized:
            await asyncio.sleep(pause_s(self._failed, after))
            self._failed += 1
            try:
                return await self._attempt()
            except Refused as refused:
                after = refused
                unauthorized -= refused.code == "unauthorized"
                if refused.code not in {*RETRYABLE, "unauthorized"}:
                    raise
        raise after

    async def _attempt(self) -> None:
        self._lost, self._refused = False, None
        self._ready.clear()
        auth = await self._auth()
        old, self._socket = self._socket, self._new_socket()
        await old.disconnect()
        try:
            await self._socket.connect(self._url, auth=auth, wait_timeout=self._timeout_s)
            await asyncio.wait_for(self._ready.wait(), self._timeout_s)
        except socketio.exceptions.ConnectionError as error:
            raise self._why(str(error)) from error
        except TimeoutError as error:
            raise self._why("no session in time") from error

    def _new_socket(self) -> socketio.AsyncClient:
        socket = socketio.AsyncClient(reconnection=False)
        for event, handler in self._handlers.items():
            socket.on(event, handler)
        socket.on("disconnect", lambda *_: self._disconnected(socket))
        socket.on("connect_error", self._connect_error)
        socket.on("session:expiring", self._is_expiring)
        return socket

    def _why(self, message: str) -> Refused:
        """What the server said when it refused, if it said anything."""
        return self._refused or Refused("unavailable", message)

    async def _refresh(self) -> None:
        self._expiring = False
        try:
            auth = await self._auth()
            await self.call("session:refresh", {"token": auth["token"]})
        except Refused as refused:
            # The server ends the session with the token; then a new one is asked for.
            log.warning("the token was not renewed: %s", refused.message)

    # what the socket tells

    def _disconnected(self, socket: socketio.AsyncClient) -> None:
        if socket is not self._socket:
            return
        if self._error is None:  # else there will be no session any more: nobody waits for one
            self._ready.clear()
        self._lost = True
        self._stirred.set()
        for answer in self._answers:
            if not answer.done():
                answer.set_exception(Refused("unavailable", "the connection was lost"))

    def _connect_error(self, data: Any = None) -> None:
        detail = data.get("data") if isinstance(data, dict) else None
        if isinstance(detail, dict) and "code" in detail:
            self._refused = _refused(detail)

    def _is_expiring(self, _data: Any = None) -> None:
        self._expiring = True
        self._stirred.set()


def _refused(wrong: dict[str, Any]) -> Refused:
    return Refused(
        wrong["code"],
        str(wrong.get("message", "")),
        retryable=wrong.get("retryable"),
        retry_after_ms=wrong.get("retry_after_ms"),
    )


def pause_s(attempt: int, refused: Refused) -> float:
    """How long to stay away before one more attempt, counted from 0."""
    told_s = (refused.retry_after_ms or 0) / 1000
    return max(told_s, min(PAUSE_S * 2.0 ** min(attempt, 10), PAUSE_MAX_S))
