"""Scores of connections."""

import pytest

from media.flow.quality import Quality, score


@pytest.mark.parametrize(
    ("loss", "rtt_s", "jitter_s", "least", "most"),
    [
        (0.0, 0.03, 0.002, 5.0, 5.0),
        (0.02, 0.1, 0.01, 4.2, 4.8),
        (0.05, 0.3, 0.03, 2.5, 3.5),
        (0.2, 0.5, 0.1, 1.0, 1.0),
    ],
)
def test_score(loss: float, rtt_s: float, jitter_s: float, least: float, most: float) -> None:
    assert least <= score(loss, rtt_s, jitter_s) <= most


def test_reports_only_changes_that_last() -> None:
    quality = Quality()
    assert quality.tick(0.0) is None
    quality.add(0.04, 0.1, 0.01)
    assert quality.tick(1.0) is None
    reported = []
    for second in range(20):
        quality.add(0.1, 0.1, 0.01)
        quality.add(0.0, 0.1, 0.01)
        reported.append(quality.tick(float(second)))
    assert quality.score == 3
    assert reported[-1] is None
    assert [s for s in reported if s] == sorted((s for s in reported if s), reverse=True)


def test_recovers() -> None:
    quality = Quality()
    for _ in range(10):
        quality.add(1.0, 1.0, 1.0)
        quality.tick(0.0)
    assert quality.score == 1
    for _ in range(10):
        quality.add(0.0, 0.02, 0.001)
        quality.tick(0.0)
    assert quality.score == 5
