"""Socket.IO packets: only ValueError escapes, and what is taken apart comes together again."""

import contextlib
import json
import math
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from signaling.gateway import GatewayConfig, frames, packets

CONFIG = GatewayConfig()
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
        packets.parse(message, CONFIG, {b"/"})


@given(st.lists(values, max_size=3), st.sampled_from([b"/", b"/custom"]), st.integers(0, 10**9))
def test_an_event_survives_the_wire(arguments: list[Any], namespace: bytes, number: int) -> None:
    sent = packets.frames(packets.EVENT, namespace, b"%d" % number, ["name", *arguments])
    (_, first), *rest = map(frames.split, sent)
    config = GatewayConfig(max_attachments=100)
    packet = packets.parse(first, config, {b"/", b"/custom"})
    assert (packet.namespace, packet.ack) == (namespace, b"%d" % number)
    assert packet.attachments == len(rest)
    assert packets.fill(packet.data, [part for _, part in rest]) == ["name", *arguments]


@pytest.mark.parametrize(
    "message",
    [b'42/no,["x"]', b'451-/no,["x",{"_placeholder":true,"num":0}]', b"43/no,1[]", b"42/no,{{{"],
)
def test_of_a_namespace_without_a_connection_nothing_is_decoded(message: bytes) -> None:
    with pytest.raises(ValueError, match="not connected"):
        packets.parse(message, CONFIG, {b"/"})


def test_an_attachment_goes_to_one_place() -> None:
    hole = {"_placeholder": True, "num": 0}
    assert packets.fill(["x", hole], [b"a"]) == ["x", b"a"]
    with pytest.raises(ValueError, match="not any more"):
        packets.fill(["x", hole, hole], [b"a"])


def deepest(body: bytes) -> int:
    """How deep arrays and objects are nested, by looking at one character after the other."""
    depth = most = 0
    texts = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
    for bracket in re.findall(rb"[\[\]{}]", texts.sub(b"", body)):
        depth += 1 if bracket in b"[{" else -1
        most = max(most, depth)
    return most


def nesting(body: bytes, max_depth: int, max_containers: int = 10_000) -> bool:
    """Whether the quick way lets it pass."""
    try:
        packets.check_nesting(body, max_depth, max_containers)
    except ValueError:
        return False
    return True


texts = st.text(alphabet='[]{}"\\,:a\n\ud83d', max_size=8)
json_values = st.recursive(
    st.none() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=20,
)


@given(json_values, st.integers(1, 8), st.booleans())
def test_depth_in_passes_is_depth_by_characters(value: Any, limit: int, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    body = text.encode(errors="surrogatepass")
    assert nesting(body, limit) == (deepest(body) <= limit)


@given(st.text(alphabet='[]{}"\\,:1', max_size=60).map(str.encode), st.integers(1, 8))
def test_what_the_decoder_takes_passes_unless_it_is_too_deep(body: bytes, limit: int) -> None:
    try:
        json.loads(body)
    except ValueError:
        return
    assert nesting(body, limit) == (deepest(body) <= limit)


def test_containers_are_counted() -> None:
    body = b'["x",' + b"[]," * 98 + b"{}]"
    assert nesting(body, 2, 100)
    assert not nesting(body, 2, 99)
    assert nesting(b'["' + b"[{" * 500 + b'"]', 2, 1)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_not_a_number_cannot_leave(value: float) -> None:
    for frame in (packets.event("x", {"v": value}), packets.ack(b"1", {"v": value})):
        _, payload = frames.split(frame)
        text = payload.decode().lstrip("0123456789")
        assert json.loads(text, parse_constant=pytest.fail)[-1]["v"] is None
