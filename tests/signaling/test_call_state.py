"""A call, state by state."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.errors import Refused
from signaling.services.call_state import TRANSITIONS, Action, Call, Party


def ring(*others: str) -> Call:
    call = Call(
        id="call_1.c_1", app="a", conversation="c_1", media="audio", caller="ann", started_at=0
    )
    call.parties = {"ann": Party("ann", "accepted", "phone")}
    call.parties |= {user: Party(user, "ringing") for user in others}
    return call


@pytest.mark.parametrize(
    ("action", "outcome"), [("accept", "answered"), ("decline", "declined"), ("busy", "busy")]
)
def test_a_direct_call_ends_by_its_answer(action: Action, outcome: str) -> None:
    call = ring("bob")
    assert call.act("bob", "laptop", action, 1_000)
    if action == "accept":
        assert call.state == "active"
        assert call.parties["bob"].device == "laptop"
        call.act("ann", "phone", "hangup", 4_000)
        assert call.to_wire()["duration_ms"] == 3_000
    assert (call.state, call.outcome) == ("ended", outcome)


def test_no_answer_is_missed() -> None:
    call = ring("bob", "cy")
    assert call.give_up(45_000)
    assert (call.outcome, call.ended_at, call.ringing()) == ("missed", 45_000, [])
    assert not call.give_up(46_000)


def test_the_caller_cancels_only_while_it_rings() -> None:
    call = ring("bob")
    with pytest.raises(Refused):
        call.cancel("bob", 1)
    call.cancel("ann", 2)
    assert (call.outcome, call.parties["bob"].state) == ("cancelled", "missed")
    with pytest.raises(Refused):
        call.cancel("ann", 3)


def test_the_second_device_is_told_that_another_took_it() -> None:
    call = ring("bob")
    call.act("bob", "phone", "accept", 1)
    assert not call.act("bob", "phone", "accept", 2)
    with pytest.raises(Refused) as refused:
        call.act("bob", "laptop", "accept", 3)
    assert refused.value.code == "conflict"


def test_a_group_goes_on_while_two_are_in_it() -> None:
    call = ring("bob", "cy", "dee")
    call.act("bob", "b", "accept", 1)
    call.act("cy", "c", "decline", 2)
    call.act("ann", "phone", "hangup", 3)
    assert call.state == "active"  # dee still rings
    call.act("cy", "c", "accept", 4)
    call.give_up(5)
    assert call.state == "active"
    call.act("cy", "c", "hangup", 6)
    assert call.outcome == "answered"


def test_strangers_and_impossible_steps_are_refused() -> None:
    call = ring("bob")
    for user, action, code in (("eve", "accept", "not_found"), ("bob", "hangup", "conflict")):
        with pytest.raises(Refused) as refused:
            call.act(user, None, action, 1)  # type: ignore[arg-type] # from the table above
        assert refused.value.code == code


def test_a_call_whose_node_died_lasted_until_it_was_seen_last() -> None:
    call = ring("bob", "cy")
    call.act("bob", "laptop", "accept", 1_000)
    assert call.stop(5_000)
    assert (call.outcome, call.to_wire()["duration_ms"]) == ("answered", 4_000)
    assert call.parties["cy"].state == "missed"
    assert not call.stop(9_000)
    early = ring("bob")
    early.act("bob", "laptop", "accept", 1_000)
    early.stop(500)  # seen before it was answered
    assert early.to_wire()["duration_ms"] == 0


def test_a_member_who_comes_later_is_let_in_once() -> None:
    call = ring("bob")
    call.act("bob", "b", "accept", 1)
    for _ in range(2):
        call.admit("dee")
    assert call.act("dee", "d", "accept", 2)
    call.admit("dee")
    assert call.talking() == ["ann", "bob", "dee"]


steps = st.tuples(
    st.sampled_from(["ann", "bob", "cy"]), st.sampled_from(sorted({a for _, a in TRANSITIONS}))
)


@given(st.lists(steps, max_size=30))
def test_an_ended_call_never_changes(taken: list[tuple[str, Action]]) -> None:
    call = ring("bob", "cy")
    final = None
    for now, (user, action) in enumerate(taken):
        with contextlib.suppress(Refused):
            call.act(user, user, action, now)
        if final is not None:
            assert call.to_wire() == final
        elif call.state == "ended":
            final = call.to_wire()
            assert not call.ringing()


@given(st.lists(steps, max_size=30))
def test_a_call_is_kept_and_read_as_it_was(taken: list[tuple[str, Action]]) -> None:
    call = ring("bob", "cy")
    for now, (user, action) in enumerate(taken):
        with contextlib.suppress(Refused):
            call.act(user, user, action, now)
    live = call.live("node", 99)
    assert Call.of(live) == call
    assert (live.ended, set(live.talking)) == (call.state == "ended", set(call.talking()))
    assert Call.logged("a", call.to_wire()) == call
    copy = call.copy()
    copy.stop(100)
    copy.parties["bob"].device = "other"
    assert Call.of(live) == call  # a step on the copy leaves it alone
