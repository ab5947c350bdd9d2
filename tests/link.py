"""A network in the process: a UDP relay that loses, repeats and delays by a seed.

    async with Link.open(server_port, seed=7, loss=0.1) as link:
        ... the client sends to ("127.0.0.1", link.port) ...

Every client address gets a socket of its own towards the server, as behind a NAT.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

QUEUE_S = 0.3


class _Side(asyncio.DatagramProtocol):
    def __init__(self, link: "Link", client: tuple[str, int] | None) -> None:
        self.link = link
        self.client = client
        self.transport: asyncio.DatagramTransport | None = None
        self.early: list[bytes] = []
        """What a client sent while its socket was being made."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        for data in self.early:
            self.link.upward(data, self.client)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        if self.client is None:
            self.link.upward(data, address)
        else:
            self.link.downward(data, self.client)


class Link:
    """One lossy path. Only media (first byte 128 and above) is lost: handshakes are not at test."""

    def __init__(self, server: tuple[str, int], seed: int, loss: float, delay_s: float) -> None:
        self.seed = seed
        self.loss = loss
        self.delay_s = delay_s
        self.lost = 0
        self.passed = 0
        self.rate_bps = 0.0
        """What it carries towards the client; 0 for no limit. A queue of 300 ms is before it."""
        self.dead = False
        """Nothing passes, not even handshakes."""
        self._free_at = 0.0
        self._server = server
        self._random = random.Random(seed)
        self._front = _Side(self, None)
        self._backs: dict[tuple[str, int], _Side] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self.keep: Any = None
        """Optional: `keep(data, upward) -> bool` decides instead of the dice."""

    @classmethod
    @asynccontextmanager
    async def open(
        cls, server_port: int, *, seed: int = 1, loss: float = 0.0, delay_s: float = 0.0
    ) -> "AsyncIterator[Link]":
        link = cls(("127.0.0.1", server_port), seed, loss, delay_s)
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: link._front, local_addr=("127.0.0.1", 0))
        try:
            yield link
        finally:
            link._close()

    @property
    def port(self) -> int:
        assert self._front.transport is not None
        return int(self._front.transport.get_extra_info("sockname")[1])

    def upward(self, data: bytes, client: tuple[str, int]) -> None:
        side = self._backs.get(client) or self._connect(client)
        if side.transport is None:
            side.early.append(data)
        elif self._passes(data, upward=True):
            self._later(side.transport, data, self._server)

    def _connect(self, client: tuple[str, int]) -> _Side:
        """One for each client, however much it sends at once."""
        side = self._backs[client] = _Side(self, client)
        loop = asyncio.get_running_loop()
        making = loop.create_datagram_endpoint(lambda: side, local_addr=("127.0.0.1", 0))
        task = loop.create_task(making)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return side

    def downward(self, data: bytes, client: tuple[str, int]) -> None:
        if self._passes(data, upward=False):
            self._later(self._front.transport, data, client, self._queued_s(len(data)))

    def _queued_s(self, size_bytes: int) -> float:
        """How long a datagram waits for the bottleneck; negative when there is no room."""
        if not self.rate_bps:
            return 0.0
        now = asyncio.get_running_loop().time()
        begin = max(now, self._free_at)
        if begin - now > QUEUE_S:
            return -1.0
        self._free_at = begin + size_bytes * 8 / self.rate_bps
        return self._free_at - now

    def dice(self) -> bool:
        """Whether the seed lets the next packet pass."""
        return self._random.random() >= self.loss

    def _passes(self, data: bytes, *, upward: bool) -> bool:
        if self.dead:
            return False
        if not data or data[0] < 128 or 192 <= data[1] <= 223:
            return True
        passes = self.keep(data, upward) if self.keep else self.dice()
        if passes:
            self.passed += 1
        else:
            self.lost += 1
        return bool(passes)

    def _later(
        self,
        transport: asyncio.DatagramTransport | None,
        data: bytes,
        to: tuple[str, int],
        queued_s: float = 0.0,
    ) -> None:
        if queued_s < 0:
            self.lost += 1
        elif self.delay_s or queued_s:
            loop = asyncio.get_running_loop()
            loop.call_later(self.delay_s + queued_s, _send, transport, data, to)
        else:
            _send(transport, data, to)

    def _close(self) -> None:
        for task in self._tasks:
            task.cancel()
        for side in (self._front, *self._backs.values()):
            if side.transport is not None:
                side.transport.close()


def _send(transport: asyncio.DatagramTransport | None, data: bytes, to: tuple[str, int]) -> None:
    if transport is not None and not transport.is_closing():
        transport.sendto(data, to)
