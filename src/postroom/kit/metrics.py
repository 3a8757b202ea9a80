"""Figures in the text format of Prometheus, read at the moment somebody asks, with those of the process itself."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


@dataclass(frozen=True, slots=True)
class Series:
    """A named figure, or one for each value of ``label``."""

    name: str
    help: str
    values: Mapping[str, float]
    label: str = ""


class _Snapshot(Collector):
    def __init__(self, series: Iterable[Series]) -> None:
        self._series = list(series)

    def collect(self) -> Iterator[Metric]:
        for one in self._series:
            family = GaugeMetricFamily(one.name, one.help, labels=[one.label] if one.label else [])
            for label, value in one.values.items():
                family.add_metric([label] if one.label else [], value)
            yield family


def render(series: Iterable[Series]) -> bytes:
    """Return ``series`` and the memory, files and CPU time of this process as exposition text."""
    registry = CollectorRegistry()
    registry.register(_Snapshot(series))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    return generate_latest(registry)
