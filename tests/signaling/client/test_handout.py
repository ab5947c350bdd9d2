"""What waits for the program, and where the store is meanwhile."""

import asyncio
from typing import Any

import pytest

from signaling.client.handout import Handout
from signaling.client.store import MemoryStore
from signaling.errors import Refused


def event(seq: int) -> dict[str, Any]:
    return {"conversation": "c", "seq": seq}


async def test_the_store_moves_when_the_program_asks_for_the_next() -> None:
    store = MemoryStore()
    handout = Handout(store, 10)
    await handout.put(event(1))
    await handout.put(event(2))
    assert await handout.take() == event(1)
    assert store.seq("c") is None
    assert await handout.take() == event(2)
    assert store.seq("c") == 1
    handout.done()
    assert store.seq("c") == 2


async def test_a_cursor_waits_for_what_came_before_it() -> None:
    store = MemoryStore()
    handout = Handout(store, 10)
    handout.mark("p0")
    assert store.cursor() == "p0"
    await handout.put(event(1))
    handout.mark("p1")
    handout.mark("p2")
    await handout.put(event(2))
    await handout.take()
    assert store.cursor() == "p0"
    await handout.take()
    assert store.cursor() == "p2"


async def test_a_full_line_makes_who_puts_wait() -> None:
    handout = Handout(MemoryStore(), 1)
    await handout.put(event(1))
    second = asyncio.create_task(handout.put(event(2)))
    await asyncio.sleep(0)
    assert not second.done()
    assert await handout.take() == event(1)
    assert await handout.take() == event(2)
    assert second.done()


async def test_the_end_comes_after_what_waits() -> None:
    store = MemoryStore()
    handout = Handout(store, 1)
    await handout.put(event(1))
    waiting = asyncio.create_task(handout.put(event(2)))
    await asyncio.sleep(0)
    handout.end(Refused("unauthorized", "no"))
    await waiting
    handout.mark("p9")
    assert await handout.take() == event(1)
    with pytest.raises(Refused):
        await handout.take()
    assert (store.seq("c"), store.cursor()) == (1, None)
