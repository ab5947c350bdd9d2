"""Bitrates by layer."""

from media.flow.layers import Layer
from media.flow.rates import LayerRates


def _second(rates: LayerRates, start: float, sizes: dict[tuple[int, int], int]) -> None:
    for step in range(10):
        now = start + step / 10
        rates.tick(now)
        for (spatial, temporal), size in sizes.items():
            rates.add(spatial, temporal, size, now)
    rates.tick(start + 1)


def test_steps_are_cumulative_and_the_last_is_everything() -> None:
    rates = LayerRates()
    for second in range(6):
        _second(rates, second, {(0, 0): 1000, (0, 1): 500, (1, 0): 2000, (1, 1): 1500})
    layers, sums = zip(*rates.steps(), strict=True)
    assert layers == (Layer(0, 0), Layer(0, 7), Layer(1, 0), Layer(1, 7))
    for found, size in zip(sums, (1000, 1500, 3000, 5000), strict=True):
        assert abs(found - size * 80) < size * 8


def test_a_plain_stream_has_one_step() -> None:
    rates = LayerRates()
    _second(rates, 0.0, {(0, 0): 1000})
    assert [layer for layer, _ in rates.steps()] == [Layer(0, 7)]


def test_nothing_yet() -> None:
    rates = LayerRates()
    rates.tick(1.0)
    assert rates.steps() == []
    assert rates.bps() == 0


def test_indices_beyond_what_there_is_do_no_harm() -> None:
    rates = LayerRates()
    rates.add(9, 9, 100, 0.0)
    assert (rates.spatial, rates.temporal) == (3, 7)
