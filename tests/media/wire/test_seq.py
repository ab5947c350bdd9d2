"""Serial arithmetic by table."""

import pytest

from media.wire import seq


@pytest.mark.parametrize(
    ("new", "old", "steps"),
    [
        (1, 0, 1),
        (0, 1, -1),
        (0, 65535, 1),
        (65535, 0, -1),
        (5, 5, 0),
        (0x7FFF, 0, 0x7FFF),
        (0x8000, 0, -0x8000),
        (0, 0x8000, -0x8000),
    ],
)
def test_distance16(new: int, old: int, steps: int) -> None:
    assert seq.distance16(new, old) == steps
    assert seq.newer16(new, old) == (steps > 0)


@pytest.mark.parametrize(
    ("new", "old", "steps"),
    [
        (0, 0xFFFF_FFFF, 1),
        (0xFFFF_FFFF, 0, -1),
        (3000, 0, 3000),
        (0x8000_0000, 0, -0x8000_0000),
    ],
)
def test_distance32(new: int, old: int, steps: int) -> None:
    assert seq.distance32(new, old) == steps
    assert seq.newer32(new, old) == (steps > 0)


def test_unwrapper_counts_cycles_and_takes_late_packets_back() -> None:
    unwrapper = seq.Unwrapper()
    assert [unwrapper.unwrap(s) for s in (65534, 0, 65535, 1)] == [
        0x1FFFE,
        0x20000,
        0x1FFFF,
        0x20001,
    ]


def test_unwrapper_peek_does_not_move() -> None:
    unwrapper = seq.Unwrapper(8)
    assert unwrapper.peek(3) == 0x103
    unwrapper.unwrap(250)
    assert unwrapper.peek(4) == 0x204
    assert unwrapper.last == 0x1FA
