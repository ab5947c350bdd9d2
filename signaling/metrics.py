"""Counters and gauges of this process, written out in Prometheus' text format 0.0.4."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

LATENCY_BUCKETS_S = (0.005, 0.025, 0.1, 0.5, 2.0, 10.0)


class Sample(NamedTuple):
    """One value. A name that ends in `_total`, `_bucket`, `_sum` or `_count` only ever grows."""

    name: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()


Source = Callable[[], Iterable[Sample]]


class Counter:
    """A number per set of label values that only grows."""

    def __init__(self, name: str, *labels: str) -> None:
        self._name = name
        self._labels = labels
        self._values: dict[tuple[str, ...], float] = {}

    def add(self, *values: str, by: float = 1) -> None:
        """Count for these label values."""
        self._values[values] = self._values.get(values, 0) + by

    def samples(self) -> Iterable[Sample]:
        """A Source."""
        for values, number in self._values.items():
            yield Sample(self._name, number, tuple(zip(self._labels, values, strict=True)))


class Metrics:
    """What /metrics shows: every part adds a Source that is read at scrape time."""

    def __init__(self) -> None:
        self._sources: list[Source] = []

    def add(self, source: Source) -> None:
        """Read `source` at every scrape."""
        self._sources.append(source)

    def add_numbers(self, prefix: str, numbers: Callable[[], Mapping[str, object]]) -> None:
        """Read a part's plain `{name: number}`; a nested mapping becomes a label `kind`."""
        self.add(lambda: _flattened(prefix, numbers()))

    def render(self) -> str:
        """The whole exposition, families together."""
        families: dict[str, list[Sample]] = {}
        for source in self._sources:
            for sample in source():
                families.setdefault(sample.name, []).append(sample)
        lines: list[str] = []
        for name in sorted(families):
            lines.append(f"# TYPE {name} {'counter' if name.endswith('_total') else 'gauge'}")
            lines += [_line(sample) for sample in families[name]]
        return "\n".join(lines) + "\n"


def _flattened(prefix: str, numbers: Mapping[str, object]) -> Iterable[Sample]:
    for name, value in numbers.items():
        if isinstance(value, Mapping):
            for kind, inner in value.items():
                if isinstance(inner, int | float):
                    yield Sample(f"{prefix}_{name}", float(inner), (("kind", str(kind)),))
        elif isinstance(value, int | float):
            yield Sample(f"{prefix}_{name}", float(value))


def _line(sample: Sample) -> str:
    labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in sample.labels)
    number = float(sample.value)
    value = int(number) if number.is_integer() else number
    return f"{sample.name}{{{labels}}} {value}" if labels else f"{sample.name} {value}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
