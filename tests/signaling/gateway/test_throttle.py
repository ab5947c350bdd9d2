"""Lines that strangers cause are rare, whatever they do."""

import pytest

from signaling.gateway import throttle
from signaling.gateway.throttle import Throttle


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(throttle.time, "monotonic", lambda: now[0])
    return now


def test_one_line_a_minute_and_kind(caplog: pytest.LogCaptureFixture, clock: list[float]) -> None:
    log = Throttle("test")
    for _ in range(5):
        log.note("a", "first %s", 1)
    log.note("b", "other")
    clock[0] += throttle.PERIOD_S
    log.note("a", "again")
    assert [record.getMessage() for record in caplog.records] == [
        "a: first 1",
        "b: other",
        "a: again (4 more since)",
    ]


def test_kinds_are_bounded(caplog: pytest.LogCaptureFixture, clock: list[float]) -> None:
    log = Throttle("test")
    for number in range(1000):
        log.note(str(number), "x")
    assert len(log._seen) <= throttle.MAX_KINDS


def test_a_failure_keeps_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    Throttle("test").failure("kind", ValueError("why"), "id %s", "abc")
    (record,) = caplog.records
    assert record.exc_info
    assert record.getMessage() == "kind: id abc"
