"""Transport-wide feedback about what publishers send."""

from media.flow.arrivals import MAX_SPAN, Arrivals
from media.wire import rtcp


def test_feedback_covers_every_number_once() -> None:
    arrivals = Arrivals()
    for sequence, now in ((65534, 1.0), (65535, 1.01), (65537, 1.02)):
        arrivals.add(sequence, now)
    first = arrivals.tick(1.1)
    assert first is not None
    assert (first.base, first.number) == (65534, 0)
    assert first.arrivals_us == (1_000_000, 1_010_000, None, 1_020_000)
    arrivals.add(65536, 1.11)  # too late: it has been reported as lost
    arrivals.add(65538, 1.12)
    assert arrivals.tick(1.15) is None
    second = arrivals.tick(1.21)
    assert second is not None
    assert (second.base, second.number) == (65538, 1)


def test_a_jump_is_bounded_and_fits_a_datagram() -> None:
    arrivals = Arrivals()
    arrivals.add(1, 0.0)
    arrivals.add(1_000_000, 0.05)
    feedback = arrivals.tick(0.2)
    assert feedback is not None
    assert len(feedback.arrivals_us) <= MAX_SPAN
    packed = rtcp.TransportFeedback(
        1, 2, feedback.base & 0xFFFF, feedback.number, feedback.arrivals_us
    ).pack()
    assert len(packed) < 1200


def test_silence_says_nothing() -> None:
    arrivals = Arrivals()
    assert arrivals.tick(5.0) is None
    arrivals.add(1, 5.0)
    assert arrivals.tick(7.0) is None
