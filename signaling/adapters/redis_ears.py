"""The listening half of the Redis broker: one connection, its subscriptions, and its returns."""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Iterable, Sequence

from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from signaling.adapters.redis_client import connect, sending

log = logging.getLogger(__name__)

CHUNK = 500
CONFIRM_S = 3.0
PING_S = 3.0
SILENCE_S = 10.0
"""No word from Redis for so long, not even to pings: the connection is dead."""
BACKOFF_S = (0.05, 0.1, 0.25, 0.5, 1.0)


class Ears:
    """Keeps the wanted channels subscribed, through losses of the connection."""

    def __init__(
        self,
        url: str,
        on_message: Callable[[bytes, bytes], None],
        on_gap: Callable[[], None],
    ) -> None:
        # passed in
        self._url = url
        self._on_message = on_message
        self._on_gap = on_gap
        # made here
        self._wanted: set[bytes] = set()
        self._confirmed: set[bytes] = set()
        self._waiting: dict[bytes, list[asyncio.Future[None]]] = {}
        self._pubsub: PubSub | None = None
        self._writing = asyncio.Lock()
        self._heard_at = 0.0
        self._connected = asyncio.Event()
        self._missed = False
        """A start without Redis counts as a loss too."""
        self.connects_total = 0

    async def connected(self, timeout_s: float) -> bool:
        """Wait until what was wanted at the start is subscribed; False when that takes too long."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._connected.wait()
        except TimeoutError:
            self._missed = True
        return self._connected.is_set()

    async def subscribe(self, channels: Iterable[bytes]) -> None:
        """Confirmed on return; while Redis is away it returns at once, a gap follows then."""
        fresh = [channel for channel in channels if channel not in self._confirmed]
        self._wanted.update(fresh)
        if self._pubsub is None or not fresh:
            return
        futures = [self._confirmation(channel) for channel in fresh]
        try:
            await self._send(self._pubsub, fresh)
            async with asyncio.timeout(CONFIRM_S):
                await asyncio.gather(*futures)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("%d subscriptions wait for Redis: %s", len(fresh), error)
            self._drop()

    def _confirmation(self, channel: bytes) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(channel, []).append(future)
        return future

    async def _send(self, pubsub: PubSub, channels: Sequence[bytes]) -> None:
        async with self._writing:
            with sending():
                for start in range(0, len(channels), CHUNK):
                    await pubsub.subscribe(*channels[start : start + CHUNK])

    async def unsubscribe(self, channels: Iterable[bytes]) -> None:
        """What still comes from them is the listener's to pass over."""
        known = [channel for channel in channels if channel in self._wanted]
        self._wanted.difference_update(known)
        self._confirmed.difference_update(known)
        pubsub = self._pubsub
        if pubsub is None or not known:
            return
        try:
            async with self._writing:
                with sending():
                    await pubsub.unsubscribe(*known)
        except (RedisError, OSError, TimeoutError) as error:
            log.info("unsubscribing later: %s", error)

    async def run(self) -> None:
        """Listen until cancelled; every return after a loss is a gap."""
        failures = 0
        while True:
            try:
                await self._listen()
            except (RedisError, OSError, TimeoutError) as error:
                if failures == 0:
                    log.warning("Redis is away: %s", error)
            failures = 0 if self._confirmed else failures + 1
            await self._forget()
            pause = BACKOFF_S[min(failures, len(BACKOFF_S) - 1)]
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter

    async def _listen(self) -> None:
        client = connect(self._url, listening=True)
        pubsub = client.pubsub()
        try:
            await self._send(pubsub, list(self._wanted))
            self._pubsub = pubsub
            self.connects_total += 1
            self._heard_at = asyncio.get_running_loop().time()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._ping(pubsub))
                group.create_task(self._read(pubsub))
        except ExceptionGroup as errors:
            away, rest = errors.split((RedisError, OSError, TimeoutError))
            if away is None or rest is not None:
                raise
            raise ConnectionError(str(away.exceptions[0])) from errors
        finally:
            self._pubsub = None
            with contextlib.suppress(RedisError, OSError):
                await pubsub.aclose()  # type: ignore[no-untyped-call]
                await client.aclose()

    async def _ping(self, pubsub: PubSub) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(PING_S)
            if loop.time() - self._heard_at > SILENCE_S:
                raise TimeoutError("no word from Redis")
            async with self._writing:
                with sending():
                    await pubsub.ping()

    async def _read(self, pubsub: PubSub) -> None:
        """The first confirmation of everything wanted ends the gap of a reconnect."""
        missing = set(self._wanted)
        while True:
            message = await pubsub.get_message(timeout=None)
            self._heard_at = asyncio.get_running_loop().time()
            if message is None:
                continue
            if message["type"] == "message":
                self._on_message(message["channel"], message["data"])
            elif message["type"] == "subscribe":
                self._confirm(message["channel"])
                if missing:
                    missing.discard(message["channel"])
                    if not missing:
                        self._complete()

    def _complete(self) -> None:
        self._connected.set()
        if self._missed:
            self._missed = False
            self._on_gap()

    def _confirm(self, channel: bytes) -> None:
        if channel in self._wanted:
            self._confirmed.add(channel)
        for future in self._waiting.pop(channel, ()):
            if not future.done():
                future.set_result(None)

    def _drop(self) -> None:
        """Give this connection up: its next ping says so."""
        self._heard_at = float("-inf")

    async def _forget(self) -> None:
        self._missed = True
        self._confirmed.clear()
        waiting, self._waiting = self._waiting, {}
        for futures in waiting.values():
            for future in futures:
                if not future.done():
                    future.set_result(None)
