"""The ring of recent packets."""

import pytest

from media.flow.cache import Cache


def test_gives_back_what_it_was_given_until_it_is_too_old() -> None:
    cache: Cache[bytes] = Cache(slots=8, max_age_s=1.0)
    cache.add(70_000, b"a", 1, now=0.0)
    assert cache.get(70_000, now=1.0) == b"a"
    assert cache.get(70_000, now=1.1) is None
    assert cache.get(70_008, now=0.0) is None


def test_old_slots_are_taken_by_new_packets() -> None:
    cache: Cache[int] = Cache(slots=4)
    for sequence in range(100, 106):
        cache.add(sequence, sequence, 10, now=0.0)
    assert [cache.get(s, 0.0) for s in range(100, 106)] == [None, None, 102, 103, 104, 105]
    assert cache.total_bytes == 40


def test_late_packets_fit_and_hopelessly_late_ones_do_not() -> None:
    cache: Cache[int] = Cache(slots=4)
    cache.add(103, 103, 1, 0.0)
    cache.add(101, 101, 1, 0.0)
    cache.add(99, 99, 1, 0.0)
    assert cache.get(101, 0.0) == 101
    assert cache.get(99, 0.0) is None


def test_a_jump_ahead_forgets_everything_before() -> None:
    cache: Cache[int] = Cache(slots=4)
    cache.add(1, 1, 5, 0.0)
    cache.add(1_000_001, 2, 7, 0.0)
    assert cache.get(1, 0.0) is None
    assert cache.total_bytes == 7


def test_bytes_are_bounded() -> None:
    cache: Cache[int] = Cache(slots=8, max_bytes=30)
    for sequence in range(6):
        cache.add(sequence, sequence, 10, 0.0)
    assert cache.total_bytes == 30
    assert cache.get(2, 0.0) is None
    assert cache.get(3, 0.0) == 3


def test_tick_lets_go_of_memory() -> None:
    cache: Cache[int] = Cache(slots=8, max_age_s=1.0)
    cache.add(1, 1, 10, 0.0)
    cache.add(3, 3, 10, 2.0)
    cache.tick(2.5)
    assert cache.total_bytes == 10
    cache.clear()
    assert cache.total_bytes == 0
    assert cache.get(3, 2.5) is None


def test_slots_must_be_a_power_of_two() -> None:
    with pytest.raises(ValueError):
        Cache(slots=100)


def test_tells_what_is_there_since_a_number() -> None:
    cache: Cache[str] = Cache(slots=4, max_age_s=1.0)
    assert cache.since(1, now=0.0) == []
    for sequence, item in ((103, "d"), (101, "b"), (100, "a")):
        cache.add(sequence, item, 1, now=0.0)
    assert cache.since(101, now=1.0) == ["b", "d"]
    assert cache.since(101, now=1.1) == []
