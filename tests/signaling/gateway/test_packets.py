"""Socket.IO packets: only ValueError escapes, and what is taken apart comes together again."""

import contextlib
import json
import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from signaling.gateway import frames, packets

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.binary(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.binary(max_size=200).map(lambda tail: b"4" + tail))
@example(b"42" + b"[" * 100_000)
@example(b'42["\xff"]')
@example(b"451-[1]")
def test_only_value_errors_escape(message: bytes) -> None:
    with contextlib.suppress(ValueError):
        packets.parse(message, 32, 10)


@given(st.lists(values, max_size=3), st.sampled_from([b"/", b"/custom"]), st.integers(0, 10**9))
def test_an_event_survives_the_wire(arguments: list[Any], namespace: bytes, number: int) -> None:
    sent = packets.frames(packets.EVENT, namespace, b"%d" % number, ["name", *arguments])
    (_, first), *rest = map(frames.split, sent)
    packet = packets.parse(first, 32, 100)
    assert (packet.namespace, packet.ack) == (namespace, b"%d" % number)
    assert packet.attachments == len(rest)
    assert packets.fill(packet.data, [part for _, part in rest]) == ["name", *arguments]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_not_a_number_cannot_leave(value: float) -> None:
    for frame in (packets.event("x", {"v": value}), packets.ack(b"1", {"v": value})):
        _, payload = frames.split(frame)
        text = payload.decode().lstrip("0123456789")
        assert json.loads(text, parse_constant=pytest.fail)[-1]["v"] is None
