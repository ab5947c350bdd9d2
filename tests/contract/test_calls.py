"""Calls beside the log: one suite, on every database."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from signaling import ids
from signaling.adapters.sql import Database, SqlCalls, SqlConversations, SqlLog
from signaling.model import Draft, Event
from signaling.ports import LiveCall
from tests.making import APP, conversation, group, member, message


def call(name: str, where: str = "c_1", **changes: Any) -> LiveCall:
    given: dict[str, Any] = {"node": "one", "seen_at": 1, "talking": ("ann",), "data": {"n": 1}}
    return LiveCall(id=name, app=APP, conversation=where, **{**given, **changes})


@pytest.fixture
def calls(database: Database) -> SqlCalls:
    return SqlCalls(database)


async def test_a_conversation_has_one_call_that_goes_on(calls: SqlCalls) -> None:
    first = call("call_1")
    assert await calls.begin(first) == first
    assert await calls.begin(call("call_2")) == first
    assert await calls.going("c_1") == first
    assert await calls.begin(call("call_3", "c_2", talking=())) == call("call_3", "c_2", talking=())
    over = replace(first, ended=True, data={"n": 2})
    assert await calls.put(over)
    assert await calls.going("c_1") is None
    assert await calls.begin(first) == over  # the same one again
    second = call("call_2")
    assert await calls.begin(second) == second
    await calls.remove("call_1")
    assert await calls.going("c_1") == second


async def test_of_many_that_begin_one_does(calls: SqlCalls) -> None:
    begun = await asyncio.gather(*(calls.begin(call(f"call_{n}")) for n in range(12)))
    assert len({one.id for one in begun}) == 1


async def test_what_was_removed_is_not_put_back(calls: SqlCalls) -> None:
    await calls.begin(call("call_1"))
    await calls.remove("call_1")
    assert not await calls.put(call("call_1"))
    assert await calls.going("c_1") is None
    assert await calls.talking(APP, ["ann"]) == set()


async def test_who_talks_is_known_until_it_is_over(calls: SqlCalls) -> None:
    await calls.begin(call("call_1"))
    await calls.begin(call("call_2", "c_2", talking=("ann", "bob")))
    assert await calls.talking(APP, ["ann", "bob", "cy"]) == {"ann", "bob"}
    assert await calls.talking("other", ["ann"]) == set()
    await calls.put(call("call_2", "c_2", ended=True, talking=("ann", "bob")))
    assert await calls.talking(APP, ["ann", "bob"]) == {"ann"}
    await calls.put(call("call_1", talking=("cy",)))
    assert await calls.talking(APP, ["ann", "cy"]) == {"cy"}


async def test_calls_of_a_silent_node_are_found(calls: SqlCalls) -> None:
    for name, node in (("call_1", "one"), ("call_2", "two"), ("call_3", "three")):
        await calls.begin(call(name, name, node=node))
    await calls.touch("two", 50)
    assert [one.id for one in await calls.unattended("two", 50)] == ["call_1", "call_3", "call_2"]
    assert [one.id for one in await calls.unattended("four", 50)] == ["call_1", "call_3"]
    assert [one.id for one in await calls.unattended("one", 0)] == ["call_1"]
    assert await calls.unattended("four", 1) == []


def ended(where: str, name: str) -> Draft:
    return Draft(
        app=APP,
        conversation=where,
        id=ids.new("e"),
        type="call:ended",
        sender="ann",
        at=1,
        data={"call": {"id": name}},
        client_id=name,
    )


def names(events: list[Event]) -> list[str]:
    return [event.data["call"]["id"] for event in events]


async def test_past_calls_are_those_a_member_may_see(database: Database, calls: SqlCalls) -> None:
    log, conversations = SqlLog(database), SqlConversations(database)
    here = await group(conversations, "ann", "bob")
    there = await group(conversations, "ann", "cy")
    late = conversation("c_late")
    await conversations.create(
        late, [member("c_late", "ann"), member("c_late", "bob", from_seq=2)], []
    )
    for number, where in enumerate((here, there, here, "c_late", "c_late")):
        await log.append(ended(where, f"call_{number}"))
        await log.append(message(where, "ann"))
    found, following = await calls.ended(APP, "ann", 2**62, 2)
    assert names(found) == ["call_4", "call_3"]
    assert following is not None
    found, following = await calls.ended(APP, "ann", following, 3)
    assert (names(found), following) == (["call_2", "call_1", "call_0"], None)
    assert names((await calls.ended(APP, "bob", 2**62, 9))[0]) == ["call_4", "call_2", "call_0"]
    assert await calls.ended("other", "ann", 2**62, 9) == ([], None)
