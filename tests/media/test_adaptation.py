"""The layer a subscriber gets follows what its path carries, in virtual time."""

from itertools import pairwise

import pytest

from media.flow.layers import Layer
from tests.media.path import FPS, Path


def _rank(path: Path) -> int:
    current = path.consumer.current
    return -1 if current is None else current.rank


async def test_a_wide_path_gets_everything_and_stays() -> None:
    path = Path(5_000_000)
    path.run(10)
    assert _rank(path) == 2
    since = path.now
    path.run(20)
    assert _rank(path) == 2
    assert path.layers(since) == []  # no switch, so no keyframe


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("capacity_bps", "rank"), [(300_000, 0), (900_000, 1)])
async def test_a_narrow_path_gets_what_fits_and_does_not_flap(
    seed: int, capacity_bps: float, rank: int
) -> None:
    path = Path(capacity_bps, seed=seed, loss=0.01)
    path.run(15)
    assert _rank(path) == rank
    since = path.now
    path.run(60)
    assert _rank(path) == rank
    assert len(path.layers(since)) <= 6


async def test_it_comes_down_within_seconds_and_goes_up_again_by_probing() -> None:
    path = Path(5_000_000)
    path.run(10)
    path.capacity_bps = 350_000
    path.run(5)
    assert _rank(path) == 0
    path.run(10)
    assert _rank(path) == 0
    path.capacity_bps = 5_000_000
    path.run(30)
    assert _rank(path) == 2


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("narrow_bps", [200_000, 350_000, 500_000])
async def test_layers_of_few_packets_come_back_as_soon_as_those_of_many(
    seed: int, narrow_bps: float
) -> None:
    """What a small picture sends proves little: probes have to, and loss must not be held
    against a rate that was lowered since."""
    path = Path(5_000_000, seed=seed, rates_bps=(100_000, 250_000, 550_000))
    path.run(10)
    assert _rank(path) == 2
    path.capacity_bps = narrow_bps
    path.run(15)
    assert _rank(path) < 2
    assert path.adaptation.estimate_bps > 0.4 * narrow_bps
    path.capacity_bps = 5_000_000
    path.run(20)
    assert _rank(path) == 2


async def test_what_the_receiver_sees_has_no_break_at_a_switch() -> None:
    path = Path(5_000_000)
    path.run(8)
    path.consumer.limit(Layer(0, 7), path.now)
    path.feeds_back = False  # the limit above stands for the bandwidth
    path.run(2)
    path.consumer.limit(Layer(1, 7), path.now)
    path.run(2)
    media = path.media()
    assert all(b.sequence - a.sequence & 0xFFFF == 1 for a, b in pairwise(media))
    assert all(0 <= b.timestamp - a.timestamp & 0xFFFF_FFFF < 90_000 for a, b in pairwise(media))
    pictures = [int.from_bytes(bytes(p.payload[2:4]), "big") & 0x7FFF for p in media]
    assert all(b - a & 0x7FFF in (0, 1) for a, b in pairwise(pictures))
    assert len({p.ssrc for p in media}) == 1


async def test_a_receiver_that_sends_remb_only_is_limited_by_it() -> None:
    path = Path(5_000_000)
    path.adaptation.accepted = False
    path.run(5)
    assert path.transport.history is None
    path.remb_bps = 300_000
    path.run(5)
    assert _rank(path) == 0
    path.remb_bps = 4_000_000
    path.run(8)
    assert _rank(path) == 2


async def test_without_any_feedback_nothing_is_limited() -> None:
    path = Path(5_000_000)
    path.feeds_back = False
    path.run(10)
    assert _rank(path) == 2
    assert path.adaptation.padding_bps == 0


async def test_a_layer_the_publisher_stops_sending_is_left_and_taken_again() -> None:
    path = Path(5_000_000)
    path.run(5)
    assert _rank(path) == 2
    path.encoder.off = {2}
    path.run(4)
    assert _rank(path) == 1
    path.encoder.off = set()
    path.run(6)
    assert _rank(path) == 2


async def test_where_not_even_the_least_fits_nothing_is_sent_until_it_does() -> None:
    path = Path(5_000_000)
    path.run(5)
    path.adapts = False
    path.consumer.limit(None, path.now)
    path.run(1)  # what was in flight
    seen = len(path.media())
    path.run(1)
    assert len(path.media()) == seen
    path.consumer.limit(Layer(0, 7), path.now)
    since = path.now
    path.run(1)
    assert path.layers(since) == [0]


async def test_a_wish_for_a_small_picture_is_not_exceeded_by_what_would_fit() -> None:
    path = Path(5_000_000)
    path.run(5)
    path.consumer.wish(300, 200, 0, path.now)
    path.run(5)
    assert _rank(path) == 0
    assert path.adaptation.padding_bps == 0  # nothing more is wanted
    path.consumer.wish(0, 0, 0, path.now)
    path.run(5)
    assert _rank(path) == 2


async def test_sender_reports_keep_the_clock_through_a_switch() -> None:
    path = Path(5_000_000)
    path.run(1)
    # Each layer counts from a number of its own, and films 10 ms after the one before.
    for stream in path.producer.streams:
        layer = stream.ssrc - 1
        instant = path.frames
        timestamp = instant * 90_000 // FPS + layer * (1_000_000 - 900)
        stream.reception.clock.sender_report(instant * (1 << 32) // FPS, timestamp, path.now)
    path.run(2)
    path.got.clear()
    reports = []
    for rank in (0, 2, 1):
        path.feeds_back, path.adapts = False, False
        path.consumer.limit(Layer(rank, 7), path.now)
        path.run(1.03)
        reports.append(path.consumer.report(path.now))
    media = path.media()
    moved = [(b.timestamp - a.timestamp) % (90_000 // FPS) for a, b in pairwise(media)]
    assert [ticks for ticks in moved if ticks] == [1800, 1800, 2700]
    for before, after in pairwise(reports):
        assert before is not None
        assert after is not None
        seconds = (after.ntp - before.ntp) / (1 << 32)
        ticks = after.timestamp - before.timestamp & 0xFFFF_FFFF
        assert abs(ticks - seconds * 90_000) <= 2
