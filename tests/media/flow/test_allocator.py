"""Sharing one subscriber's bandwidth."""

from media.flow.allocator import HOLD_S, Allocator, Demand, Step, wanted_bps
from media.flow.layers import Layer

LOW, MID, HIGH = Layer(0, 2), Layer(1, 2), Layer(2, 2)
STEPS = (Step(LOW, 150_000), Step(MID, 500_000), Step(HIGH, 2_000_000))


def test_everyone_gets_something_before_anyone_gets_more() -> None:
    demands = [Demand("a", 1, STEPS), Demand("b", 1, STEPS)]
    assert Allocator().tick(400_000, demands, 0.0) == {"a": LOW, "b": LOW}
    assert Allocator().tick(1_200_000, demands, 0.0) == {"a": MID, "b": MID}
    assert Allocator().tick(10_000_000, demands, 0.0) == {"a": HIGH, "b": HIGH}


def test_priority_goes_first() -> None:
    demands = [Demand("thumb", 0, STEPS), Demand("screen", 5, STEPS)]
    given = Allocator().tick(200_000, demands, 0.0)
    assert given == {"screen": LOW, "thumb": None}


def test_nothing_fits() -> None:
    assert Allocator().tick(100_000, [Demand("a", 1, STEPS)], 0.0) == {"a": None}
    assert Allocator().tick(9e9, [Demand("a", 1, ())], 0.0) == {"a": None}


def test_comes_down_at_once_and_goes_up_only_after_a_while() -> None:
    allocator, demands = Allocator(), [Demand("a", 1, STEPS)]
    assert allocator.tick(3_000_000, demands, 0.0) == {"a": HIGH}
    assert allocator.tick(1_000_000, demands, 1.0) == {"a": MID}
    assert allocator.tick(3_000_000, demands, 1.5) == {"a": MID}
    assert allocator.tick(3_000_000, demands, 1.1 + HOLD_S) == {"a": HIGH}


def test_a_step_up_needs_a_margin_that_staying_does_not() -> None:
    allocator, demands = Allocator(), [Demand("a", 1, STEPS)]
    exact = 2_000_000 / 0.9 + 1
    assert allocator.tick(exact, demands, 0.0) == {"a": HIGH}
    assert allocator.tick(exact, demands, 1.0) == {"a": HIGH}
    allocator.tick(1_000_000, demands, 2.0)
    assert allocator.tick(exact, demands, 10.0) == {"a": MID}


def test_wanted() -> None:
    assert wanted_bps([Demand("a", 1, STEPS), Demand("b", 1, ())]) == 2_000_000
