"""The order of log events: every one once, in order, whatever way and how often it comes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from signaling.order import Order

TOPIC = "c:app:hall"


def test_an_untracked_topic_takes_what_comes() -> None:
    order = Order()
    assert order.judge(TOPIC, 7) == "next"
    assert order.last(TOPIC) is None


def test_a_tracked_topic_knows_next_old_and_gap() -> None:
    order = Order()
    order.track(TOPIC, 4)
    order.track(TOPIC, 9)  # the first word counts
    assert [order.judge(TOPIC, seq) for seq in (3, 4, 5, 6)] == ["old", "old", "next", "gap"]
    order.advance(TOPIC, 6)
    assert order.judge(TOPIC, 6) == "old"
    order.forget([TOPIC])
    assert order.last(TOPIC) is None


def test_a_floor_spares_one_connection_until_the_node_is_past_it() -> None:
    order = Order()
    order.track(TOPIC, 4)
    order.raise_floor(TOPIC, "new", 6)
    order.raise_floor(TOPIC, "late", 4)  # the node is there already
    assert order.seen(TOPIC, 5) == ["new"]
    order.advance(TOPIC, 5)
    assert order.seen(TOPIC, 6) == ["new"]
    order.advance(TOPIC, 6)
    assert order.seen(TOPIC, 7) == []


def test_a_closed_connection_leaves_no_floor() -> None:
    order = Order()
    order.track(TOPIC, 4)
    order.raise_floor(TOPIC, "new", 6)
    order.drop("new", [TOPIC])
    assert order.seen(TOPIC, 5) == []


@given(st.lists(st.integers(1, 12)), st.integers(0, 5))
def test_whatever_the_hints_delivery_is_in_order_and_once(hints: list[int], base: int) -> None:
    """A gap reads the log up to the hint; then each seq above the base was delivered once."""
    order, delivered = Order(), []
    order.track(TOPIC, base)
    for seq in hints:
        verdict = order.judge(TOPIC, seq)
        if verdict == "old":
            continue
        last = order.last(TOPIC)
        assert last is not None
        assert (seq == last + 1) == (verdict == "next")
        for missing in range(last + 1, seq + 1):
            order.advance(TOPIC, missing)
            delivered.append(missing)
    assert delivered == list(range(base + 1, max([base, *hints]) + 1))
