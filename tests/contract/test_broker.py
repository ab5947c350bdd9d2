"""The Broker's contract: between nodes, in order, and requests with answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from signaling.errors import Refused
from signaling.ports import Broker, Hint
from tests.contract.worlds import World

TIMEOUT_S = 60.0


class Listener:
    """One node: what it heard, and what it answers."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.heard: asyncio.Queue[tuple[str, Hint]] = asyncio.Queue()
        self.gaps = 0

    async def start(self) -> None:
        await self.broker.start(
            lambda topic, hint: self.heard.put_nowait((topic, hint)), self._answer, self._gap
        )

    def _gap(self) -> None:
        self.gaps += 1

    async def _answer(self, verb: str, body: dict[str, Any]) -> dict[str, Any]:
        if verb == "refuse":
            raise Refused("conflict", "not so", retry_after_ms=7)
        if verb == "hang":
            await asyncio.Event().wait()
        return {"verb": verb, **body}

    async def next(self) -> tuple[str, Hint]:
        async with asyncio.timeout(TIMEOUT_S):
            return await self.heard.get()


@pytest.fixture
async def nodes(world: World) -> AsyncIterator[tuple[Listener, Listener]]:
    one, two = Listener(world.broker("one")), Listener(world.broker("two"))
    await one.start()
    await two.start()
    yield one, two
    await one.broker.close()
    await two.broker.close()


def hint(n: int, **options: Any) -> Hint:
    return Hint(event="typing:changed", data={"n": n, "中": [1, None, True]}, **options)


async def test_a_hint_reaches_every_node_that_listens(nodes: tuple[Listener, Listener]) -> None:
    one, two = nodes
    await one.broker.subscribe(["c:app:x"])
    await two.broker.subscribe(["c:app:x", "c:app:y"])
    sent = hint(1, volatile=True, exclude="socket", device="phone")
    await one.broker.publish("c:app:x", sent)
    assert await one.next() == ("c:app:x", sent)
    assert await two.next() == ("c:app:x", sent)
    await one.broker.publish("c:app:y", sent)
    assert await two.next() == ("c:app:y", sent)
    assert one.heard.empty()


async def test_what_is_published_after_subscribing_is_heard(
    nodes: tuple[Listener, Listener],
) -> None:
    one, two = nodes
    for n in range(50):
        await two.broker.subscribe([f"c:app:{n}"])
        await one.broker.publish(f"c:app:{n}", hint(n))
        assert (await two.next())[0] == f"c:app:{n}"


async def test_hints_of_one_publisher_keep_their_order(nodes: tuple[Listener, Listener]) -> None:
    one, two = nodes
    await two.broker.subscribe(["c:app:x"])
    for n in range(500):
        await one.broker.publish("c:app:x", hint(n))
    assert [(await two.next())[1].data["n"] for _ in range(500)] == list(range(500))


async def test_unsubscribed_topics_are_silent(nodes: tuple[Listener, Listener]) -> None:
    one, two = nodes
    await two.broker.subscribe(["c:app:x", "c:app:y"])
    await two.broker.unsubscribe(["c:app:x"])
    await one.broker.publish("c:app:x", hint(1))
    await one.broker.publish("c:app:y", hint(2))
    assert await two.next() == ("c:app:y", hint(2))
    assert two.heard.empty()


async def test_subscribing_again_after_unsubscribing_hears(
    nodes: tuple[Listener, Listener],
) -> None:
    one, two = nodes
    await two.broker.subscribe(["c:app:x"])
    await two.broker.unsubscribe(["c:app:x"])
    await two.broker.subscribe(["c:app:x"])
    await one.broker.publish("c:app:x", hint(1))
    assert (await two.next())[1] == hint(1)


async def test_a_request_is_answered_by_the_node_asked(nodes: tuple[Listener, Listener]) -> None:
    one, _ = nodes
    answer = await one.broker.request("two", "echo", {"deep": {"list": [1, "二"]}}, TIMEOUT_S)
    assert answer == {"verb": "echo", "deep": {"list": [1, "二"]}}


async def test_a_node_may_ask_itself(nodes: tuple[Listener, Listener]) -> None:
    one, _ = nodes
    assert await one.broker.request("one", "echo", {"n": 1}, TIMEOUT_S) == {"verb": "echo", "n": 1}
    with pytest.raises(Refused) as caught:
        await one.broker.request("one", "hang", {}, 0.05)
    assert caught.value.code == "timeout"


async def test_a_refusal_crosses_nodes_whole(nodes: tuple[Listener, Listener]) -> None:
    one, _ = nodes
    with pytest.raises(Refused) as caught:
        await one.broker.request("two", "refuse", {}, TIMEOUT_S)
    assert caught.value.to_wire() == {
        "code": "conflict",
        "message": "not so",
        "retryable": False,
        "retry_after_ms": 7,
    }


async def test_a_node_that_is_away_is_unavailable(nodes: tuple[Listener, Listener]) -> None:
    one, _ = nodes
    with pytest.raises(Refused) as caught:
        await one.broker.request("three", "echo", {}, TIMEOUT_S)
    assert caught.value.code == "unavailable"


async def test_a_node_that_does_not_answer_times_out(nodes: tuple[Listener, Listener]) -> None:
    one, _ = nodes
    with pytest.raises(Refused) as caught:
        await one.broker.request("two", "hang", {}, 0.05)
    assert caught.value.code == "timeout"
