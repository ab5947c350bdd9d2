"""Names looked up on threads of their own, so many at a time for each owner.

A name server that swallows questions holds a thread for half a minute. Neither files, which use
the loop's threads, nor the hooks of other apps wait for that.
"""

import asyncio
import socket
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from functools import partial
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

THREADS = 32
EACH = 2
"""Lookups under way for one owner; further ones wait, within the time of their request."""

OWNER: ContextVar[str] = ContextVar("owner", default="")
"""Who wants to know: aiohttp tells a resolver the host and nothing else."""

Found = list[tuple[Any, ...]]


class Lookup(AbstractResolver):
    """What aiohttp.ThreadedResolver does, on own threads. Raises OSError."""

    def __init__(self, ask: Callable[..., Found] = socket.getaddrinfo) -> None:
        # passed in
        self._ask = ask
        # made here
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="names")
        self._turns: weakref.WeakValueDictionary[str, asyncio.Semaphore] = (
            weakref.WeakValueDictionary()
        )

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Every address of a name."""
        turn = self._turns.get(OWNER.get())
        if turn is None:
            turn = self._turns[OWNER.get()] = asyncio.Semaphore(EACH)
        await turn.acquire()
        asking = asyncio.get_running_loop().run_in_executor(
            self._threads,
            partial(
                self._ask,
                host,
                port,
                family=family,
                type=socket.SOCK_STREAM,
                flags=socket.AI_ADDRCONFIG,
            ),
        )
        # Not when this coroutine ends: one that is out of time leaves its thread behind.
        asking.add_done_callback(partial(_ended, turn))
        found = await asyncio.shield(asking)
        return [_result(host, port, one) for one in found]

    async def close(self) -> None:
        """Lookups under way are left to end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _ended(turn: asyncio.Semaphore, asked: asyncio.Future[Found]) -> None:
    turn.release()
    if not asked.cancelled():
        asked.exception()  # looked at: whoever asked may be gone


def _result(host: str, port: int, found: tuple[Any, ...]) -> ResolveResult:
    family, _, proto, _, address = found
    return ResolveResult(
        hostname=host,
        host=address[0],
        port=port,
        family=family,
        proto=proto,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )
