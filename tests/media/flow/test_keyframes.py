"""Throttling, coalescing and repeating keyframe requests."""

import itertools

from media.flow.keyframes import MAX_RETRIES, KeyframeRequests


def test_many_who_wait_cost_one_request() -> None:
    requests = KeyframeRequests()
    assert requests.ask(10.0)
    assert not any(requests.ask(10.0 + i / 100) for i in range(40))
    assert requests.pending


def test_a_keyframe_serves_everyone() -> None:
    requests = KeyframeRequests()
    requests.ask(10.0)
    requests.arrived()
    assert not requests.tick(20.0)


def test_a_wish_right_after_a_keyframe_waits_a_moment() -> None:
    requests = KeyframeRequests()
    requests.ask(10.0)
    requests.arrived()
    assert not requests.ask(10.1)
    assert not requests.tick(10.2)
    assert requests.tick(10.31)


def test_repeats_with_growing_pauses_and_stops() -> None:
    requests = KeyframeRequests()
    sent = [0.0] if requests.ask(0.0) else []
    now = 0.0
    while now < 120.0:
        now += 0.05
        if requests.tick(now):
            sent.append(now)
    assert len(sent) == MAX_RETRIES + 1
    pauses = [later - earlier for earlier, later in itertools.pairwise(sent)]
    assert pauses[0] < 0.6
    assert 3.9 < pauses[-1] < 4.2


def test_a_new_wish_after_the_last_retry_starts_over() -> None:
    requests = KeyframeRequests()
    requests.ask(0.0)
    for step in range(1, 2000):
        requests.tick(step * 0.05)
    assert requests.ask(200.0)


def test_a_crowd_gets_one_a_second_on_average() -> None:
    requests = KeyframeRequests()
    sent = 0
    for step in range(1000):
        now = step * 0.02
        if requests.ask(now) or requests.tick(now):
            sent += 1
            requests.arrived()
    assert 20 <= sent <= 24
