"""A process from its first signal to its last: listens, drains when told to go, closes."""

import asyncio
import contextlib
import gc
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any, Final

from signaling.app import Process
from signaling.config import Settings

TURN_S: Final = 0.001
"""How long a busy loop keeps the writer's thread from going on. A group of writes takes a dozen
turns: with Python's own 5 ms they would take longer than the disk."""

YOUNG: Final = 10_000
"""Objects made and not ended before Python looks for cycles among them; it would at 700, which a
few dozen requests under way have, and find nothing."""


async def serve(settings: Settings, announce: Callable[[list[str]], None]) -> None:
    """Run a process until SIGTERM or SIGINT; `announce` gets its URLs once it listens.

    A second signal skips the draining.
    """
    sys.setswitchinterval(TURN_S)
    stop = asyncio.Event()
    hurry = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        (hurry if stop.is_set() else stop).set()

    for name in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows
            loop.add_signal_handler(name, on_signal)
    process = Process(settings)
    await process.start()
    spare_what_stays()
    try:
        announce(process.urls)
        await stop.wait()
        await _unless(hurry, process.drain())
    finally:
        await process.close()


def spare_what_stays() -> None:
    """Look for garbage only in what is made from now on.

    What a process consists of, some 300 000 objects, stays for its life: each look at all of them
    would keep everyone waiting for a tenth of a second, also a first look now.
    """
    gc.freeze()
    gc.enable()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])


async def _unless(hurry: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Do `work`, or give it up as soon as `hurry` is set."""
    working, hurried = asyncio.ensure_future(work), asyncio.ensure_future(hurry.wait())
    try:
        await asyncio.wait((working, hurried), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (working, hurried):
            task.cancel()
        await asyncio.gather(working, hurried, return_exceptions=True)
