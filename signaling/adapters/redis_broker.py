"""The Broker over Redis's publish and subscribe; signed, see `bus_frames`.

This node's own listeners are called within `publish`; Redis is for the others. Channels are
`{prefix}{topic}`, a node's own is `{prefix}n:{node}`.
"""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from redis.exceptions import RedisError

from signaling.adapters.bus_frames import (
    AskBody,
    Body,
    Forged,
    Frames,
    HintBody,
    ReplyBody,
    Unsealable,
)
from signaling.adapters.redis_client import connect, sending
from signaling.adapters.redis_ears import Ears
from signaling.errors import Refused
from signaling.ports import Hint
from signaling.tasks import Tasks

log = logging.getLogger(__name__)

QUEUE_MAX = 20_000
BATCH = 256
AWAY_S = 0.5
"""After a failure hints are not even tried for so long."""
START_S = 3.0
ASKED_MAX = 1_000
"""Requests of other nodes answered at a time."""

OnHint = Callable[[str, Hint], None]
OnRequest = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]
Letter = tuple[bytes, bytes, asyncio.Future[int] | None]
"""A channel, its sealed frame, and who wants to know how many it reached."""


class RedisBroker:
    """Hints that find Redis away are lost and counted; the log has what mattered."""

    def __init__(self, url: str, node: str, key: bytes, prefix: str) -> None:
        # passed in
        self._url = url
        self._node = node
        self._prefix = prefix.encode()
        # made here
        self._frames = Frames(key, f"{node}/{uuid.uuid4().hex}")
        self._ears = Ears(url, self._message, self._gap)
        self._mouth = connect(url)
        self._queue: asyncio.Queue[Letter] = asyncio.Queue(QUEUE_MAX)
        self._topics: set[str] = set()
        self._replies: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._asked = asyncio.Semaphore(ASKED_MAX)
        self._tasks = Tasks()
        self._away_until = 0.0
        self._on_hint: OnHint = lambda topic, hint: None
        self._on_request: OnRequest | None = None
        self._on_gap: Callable[[], None] = lambda: None
        self.forged_total = 0
        self.lost_total = 0
        self.unsealable_total = 0

    async def start(
        self, on_hint: OnHint, on_request: OnRequest, on_gap: Callable[[], None]
    ) -> None:
        """Wait a moment for Redis; if it is away now, its coming is a gap later."""
        self._on_hint, self._on_request, self._on_gap = on_hint, on_request, on_gap
        await self._ears.subscribe([self._channel(f"n:{self._node}")])
        self._tasks.spawn(self._ears.run(), "redis ears")
        self._tasks.spawn(self._speak(), "redis mouth")
        await self._ears.connected(START_S)

    async def close(self) -> None:
        """Let go of both connections."""
        await self._tasks.close()
        await self._mouth.aclose()

    def _channel(self, topic: str) -> bytes:
        return self._prefix + topic.encode()

    async def subscribe(self, topics: Iterable[str]) -> None:
        """Confirmed by Redis on return, unless it is away."""
        wanted = list(topics)
        self._topics.update(wanted)
        await self._ears.subscribe([self._channel(topic) for topic in wanted])

    async def unsubscribe(self, topics: Iterable[str]) -> None:
        """Local at once."""
        wanted = list(topics)
        self._topics.difference_update(wanted)
        await self._ears.unsubscribe([self._channel(topic) for topic in wanted])

    # out

    async def publish(self, topic: str, hint: Hint) -> None:
        """Local listeners now; the other nodes' as soon as Redis takes it, or never."""
        if topic in self._topics:
            self._on_hint(topic, hint)
        try:
            self._enqueue(self._channel(topic), HintBody(hint), None)
        except Unsealable as error:
            log.warning("a hint of %s is for this node alone: %s", hint.event, error)

    def _enqueue(self, channel: bytes, body: Body, sent: asyncio.Future[int] | None) -> None:
        """Raises Unsealable. Sealed here, so that what cannot be is its own sender's trouble."""
        if self._queue.full():
            self.lost_total += 1
            if sent is not None:
                sent.set_exception(Refused("unavailable", "too much waits for Redis"))
            return
        try:
            frame = self._frames.seal(channel, body)
        except Unsealable:
            self.unsealable_total += 1
            raise
        self._queue.put_nowait((channel, frame, sent))

    async def _speak(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            batch = [await self._queue.get()]
            while len(batch) < BATCH and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            if loop.time() < self._away_until:
                self._lose(batch)
                continue
            try:
                await self._send(batch)
            except (RedisError, OSError, TimeoutError) as error:
                log.debug("hints are lost: %s", error)
                self._away_until = loop.time() + AWAY_S
                self._lose(batch)

    async def _send(self, batch: list[Letter]) -> None:
        pipe = self._mouth.pipeline(transaction=False)
        for channel, frame, _ in batch:
            pipe.publish(channel, frame)
        with sending():
            receivers = await pipe.execute()
        for (_, _, sent), count in zip(batch, receivers, strict=True):
            if sent is not None and not sent.done():
                sent.set_result(count)

    def _lose(self, batch: list[Letter]) -> None:
        self.lost_total += len(batch)
        for _, _, sent in batch:
            if sent is not None and not sent.done():
                sent.set_exception(Refused("unavailable", "the other nodes cannot be reached"))

    # in

    def _message(self, channel: bytes, frame: bytes) -> None:
        try:
            body = self._frames.open(channel, frame)
        except Forged as error:
            self.forged_total += 1
            log.debug("dropped from %r: %s", channel, error)
            return
        match body:
            case HintBody(hint):
                topic = channel[len(self._prefix) :].decode()
                if topic in self._topics:
                    self._on_hint(topic, hint)
            case AskBody():
                self._tasks.spawn(self._answer(body), f"answer {body.verb}")
            case ReplyBody():
                self._replied(body)

    def _gap(self) -> None:
        self._on_gap()

    # requests

    async def request(
        self, node: str, verb: str, body: dict[str, Any], timeout_s: float
    ) -> dict[str, Any]:
        """Unavailable at once when that node does not listen."""
        if node == self._node:
            return await self._ask_ourselves(verb, body, timeout_s)
        loop = asyncio.get_running_loop()
        ask = AskBody(uuid.uuid4().hex, self._node, verb, body)
        sent: asyncio.Future[int] = loop.create_future()
        reply: asyncio.Future[dict[str, Any]] = loop.create_future()
        self._replies[ask.id] = reply
        try:
            async with asyncio.timeout(timeout_s):
                self._enqueue(self._channel(f"n:{node}"), ask, sent)
                if await sent == 0:
                    raise Refused("unavailable", f"node {node} is away")
                return await reply
        except Unsealable as error:
            raise Refused("bad_request", f"another node cannot be asked that: {error}") from error
        except TimeoutError:
            raise Refused("timeout", f"node {node} did not answer") from None
        finally:
            del self._replies[ask.id]

    async def _ask_ourselves(
        self, verb: str, body: dict[str, Any], timeout_s: float
    ) -> dict[str, Any]:
        assert self._on_request is not None
        try:
            async with asyncio.timeout(timeout_s):
                return await self._on_request(verb, body)
        except TimeoutError:
            raise Refused("timeout", "this node did not answer itself") from None

    async def _answer(self, ask: AskBody) -> None:
        assert self._on_request is not None
        async with self._asked:
            try:
                reply = ReplyBody(ask.id, result=await self._on_request(ask.verb, ask.body))
            except Refused as error:
                reply = ReplyBody(ask.id, error=error.to_wire())
            except Exception:
                log.exception("request %s of %s failed", ask.verb, ask.reply_to)
                failure = Refused("internal", "the other node failed")
                reply = ReplyBody(ask.id, error=failure.to_wire())
        self._reply(ask.reply_to, reply)

    def _reply(self, node: str, reply: ReplyBody) -> None:
        channel = self._channel(f"n:{node}")
        try:
            self._enqueue(channel, reply, None)
        except Unsealable as error:
            log.warning("an answer for node %s cannot be sent: %s", node, error)
            failure = Refused("internal", "the other node's answer cannot be sent")
            self._enqueue(channel, ReplyBody(reply.id, error=failure.to_wire()), None)

    def _replied(self, reply: ReplyBody) -> None:
        waiting = self._replies.get(reply.id)
        if waiting is None or waiting.done():
            return
        if reply.error is None:
            waiting.set_result(reply.result or {})
        else:
            error = reply.error
            waiting.set_exception(
                Refused(
                    error["code"],
                    error["message"],
                    retryable=error["retryable"],
                    retry_after_ms=error.get("retry_after_ms"),
                )
            )

    def stats(self) -> dict[str, float]:
        """Counters for the metrics."""
        return {
            "lost_total": self.lost_total,
            "forged_total": self.forged_total,
            "unsealable_total": self.unsealable_total,
            "connects_total": self._ears.connects_total,
        }
