"""The offer in flight as a table: every state and step is either a transition or a mistake."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.codecs import PayloadTypes
from media.negotiation import TRANSITIONS, Negotiation, State, Step
from media.wire.sdp import Codec


@given(st.lists(st.sampled_from([s for s in Step if s is not Step.CLOSE]), max_size=60))
def test_never_two_offers_in_flight_and_no_change_is_forgotten(steps: list[Step]) -> None:
    negotiation = Negotiation()
    offered = answered = 0
    dirty = False
    for step in steps:
        if (negotiation.state, step) not in TRANSITIONS:
            with pytest.raises(ValueError, match="while"):
                negotiation.step(step)
            continue
        negotiation.step(step)
        offered += step is Step.SEND
        answered += step in (Step.ANSWER, Step.RESTART) and offered > answered
        dirty = step in (Step.CHANGE, Step.RESTART) or (dirty and step is not Step.SEND)
        assert offered - answered <= 1
        if dirty:
            assert negotiation.state in (State.DUE, State.STALE)
        assert negotiation.number == offered


def test_a_closed_exchange_stays_closed() -> None:
    negotiation = Negotiation()
    negotiation.step(Step.CLOSE)
    for step in (Step.CHANGE, Step.SEND, Step.ANSWER, Step.RESTART):
        with pytest.raises(ValueError, match="while closed"):
            negotiation.step(step)


def test_one_payload_type_means_one_codec_for_ever() -> None:
    types = PayloadTypes()
    vp8, opus = Codec(100, "VP8", 90_000), Codec(111, "opus", 48_000, 2)
    assert types.assign(vp8) == types.assign(Codec(7, "vp8", 90_000))
    assert set(types.assign(vp8) or ()).isdisjoint(types.assign(opus) or (0,))
    for number in range(28):
        types.assign(Codec(1, f"codec{number}", 90_000))
    assert types.assign(Codec(1, "one more", 90_000)) is None
    assert types.assign(vp8) == types.assign(Codec(7, "vp8", 90_000))
