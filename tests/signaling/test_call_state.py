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
