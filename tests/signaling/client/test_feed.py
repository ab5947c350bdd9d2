"""The gap rule, as a client keeps it: whatever arrives, in order and once comes out."""

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from signaling.client.feed import Feed
from signaling.client.store import MemoryStore

PAGE = 3


def log_of(length: int, name: str = "c") -> list[dict[str, Any]]:
    return [{"conversation": name, "seq": seq} for seq in range(1, length + 1)]


def feed_on(logs: dict[str, list[dict[str, Any]]], store: MemoryStore) -> Feed:
    async def read(conversation: str, after: int) -> list[dict[str, Any]]:
        return logs[conversation][after : after + PAGE]

    return Feed(store, read)


@given(st.integers(1, 20), st.data())
def test_any_arrival_comes_out_in_order_once(length: int, data: st.DataObject) -> None:
    logs = {"c": log_of(length)}
    arrivals = data.draw(st.lists(st.integers(1, length), max_size=40))
    out: list[int] = []

    async def play() -> None:
        store = MemoryStore()
        feed = feed_on(logs, store)
        await feed.begin("c", 0)
        for seq in arrivals:
            await feed.take(logs["c"][seq - 1])
            out.extend(event["seq"] for event in feed.drain())

    asyncio.run(play())
    assert out == list(range(1, max(arrivals, default=0) + 1))


async def test_a_conversation_joined_late_begins_with_its_first_event() -> None:
    store = MemoryStore()
    feed = feed_on({"c": log_of(9)}, store)
    await feed.take({"conversation": "c", "seq": 9})
    assert [event["seq"] for event in feed.drain()] == [9]


async def test_what_history_hides_is_not_waited_for() -> None:
    store = MemoryStore()
    store.set_seq("c", 1)
    feed = feed_on({"c": log_of(1)}, store)
    await feed.take({"conversation": "c", "seq": 7})
    assert [event["seq"] for event in feed.drain()] == [7]


async def test_catching_up_reads_to_the_end() -> None:
    store = MemoryStore()
    store.set_seq("c", 2)
    feed = feed_on({"c": log_of(11)}, store)
    await feed.catch_up("c")
    assert [event["seq"] for event in feed.drain()] == list(range(3, 12))


async def test_a_list_of_conversations_is_no_reason_to_forget_the_gap() -> None:
    store = MemoryStore()
    store.set_seq("c", 8)
    feed = feed_on({"c": log_of(11)}, store)
    await feed.begin("c", 11)
    assert [event["seq"] for event in feed.drain()] == [9, 10, 11]


async def test_the_store_stays_where_the_program_is() -> None:
    store = MemoryStore()
    feed = feed_on({"c": log_of(3)}, store)
    await feed.begin("c", 0)
    await feed.take({"conversation": "c", "seq": 3})
    assert (feed.seq("c"), store.seq("c")) == (3, 0)
