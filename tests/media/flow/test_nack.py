"""What is asked of a publisher."""

from media.flow.nack import MAX_ASKED, MAX_GAP, MAX_RETRIES, NackList


def _with_gap() -> NackList:
    nacks = NackList()
    nacks.rtt_s = 0.1
    nacks.add(100, 0.0)
    assert nacks.add(103, 0.0)
    return nacks


def test_asks_at_once_and_again_a_round_trip_later() -> None:
    nacks = _with_gap()
    assert nacks.tick(0.0).sequences == [101, 102]
    assert nacks.tick(0.05).sequences == []
    assert nacks.tick(0.1).sequences == [101, 102]


def test_what_arrives_is_not_asked_for_again() -> None:
    nacks = _with_gap()
    nacks.tick(0.0)
    assert not nacks.add(101, 0.05)
    assert nacks.tick(0.1).sequences == [102]
    assert nacks.recovered == 1
    assert nacks.missing == 1


def test_gives_up_after_ten_tries() -> None:
    nacks = _with_gap()
    for attempt in range(MAX_RETRIES):
        assert nacks.tick(float(attempt)) == ([101, 102], False)
    assert nacks.tick(99.0) == ([], True)
    assert nacks.tick(100.0) == ([], False)


def test_a_hopeless_gap_calls_for_a_keyframe() -> None:
    nacks = NackList()
    nacks.add(1, 0.0)
    nacks.add(3 + MAX_GAP, 0.0)
    assert nacks.tick(0.0) == ([], True)


def test_a_keyframe_makes_older_packets_needless() -> None:
    nacks = _with_gap()
    nacks.keyframe(102)
    assert nacks.tick(0.0).sequences == [102]


def test_one_round_fits_a_datagram() -> None:
    nacks = NackList()
    nacks.add(0, 0.0)
    nacks.add(401, 0.0)
    assert len(nacks.tick(0.0).sequences) == MAX_ASKED
    assert len(nacks.tick(0.0).sequences) == 400 - MAX_ASKED


def test_in_order_packets_cost_nothing() -> None:
    nacks = NackList()
    for sequence in range(5):
        assert not nacks.add(sequence, 0.0)
    assert nacks.tick(0.0).sequences == []
