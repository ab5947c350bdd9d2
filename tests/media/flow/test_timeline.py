"""Timestamps through switches."""

from media.flow.timeline import Timeline


def test_spacing_is_kept() -> None:
    line = Timeline(90_000, first=0xFFFF_FFF0)
    line.switch(1000, now=0.0)
    assert line.map(1000, 0.0) == 0xFFFF_FFF0
    assert line.map(4000, 0.033) == (0xFFFF_FFF0 + 3000) & 0xFFFF_FFFF


def test_switch_goes_on_by_the_time_that_passed() -> None:
    line = Timeline(90_000)
    line.switch(1000, now=10.0)
    line.map(1000, 10.0)
    line.switch(77_777, now=10.5)
    assert line.map(77_777, 10.5) == 45_000


def test_switch_by_sender_reports_is_exact() -> None:
    line = Timeline(90_000)
    line.switch(1000, now=10.0)
    line.map(1000, 10.0)
    line.switch(500_000, now=10.1, aligned=1000 + 6000)
    assert line.map(500_000, 10.1) == 6000


def test_reports_that_lie_are_not_believed() -> None:
    line = Timeline(90_000)
    line.switch(1000, now=10.0)
    line.map(1000, 10.0)
    line.switch(5, now=10.1, aligned=1000 + 900_000)
    assert 8_000 < line.map(5, 10.1) < 10_000


def test_never_goes_back() -> None:
    line = Timeline(90_000)
    line.switch(0, now=0.0)
    line.map(90_000, 0.0)
    line.switch(7, now=0.0, aligned=80_000)
    assert line.map(7, 0.0) == 90_001
