"""Counters and histograms for Prometheus.

The Prometheus client library takes a tenth of a second to import, so it is loaded only to write the metrics.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import TYPE_CHECKING

from mock_server.core.exchange import Exchange

if TYPE_CHECKING:
    from prometheus_client import Metric

_PREFIX = "vehicle_ocr_mock_"
_NONE = "none"
_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_BYTES = (10_000, 50_000, 100_000, 500_000, 1_000_000, 5_000_000, 10_000_000, 50_000_000)

Labels = tuple[str, ...]


class _Histogram:
    """The counts of all buckets and the sum, for one combination of labels."""

    __slots__ = ("counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float, bounds: tuple[float, ...]) -> None:
        self.counts[bisect_left(bounds, value)] += 1
        self.total += value


class Metrics:
    """The metrics since the start. No label has many values: keys, scenarios and clients are not labels."""

    def __init__(self) -> None:
        self._requests: dict[Labels, int] = defaultdict(int)
        self._charged: dict[Labels, int] = defaultdict(int)
        self._seconds: dict[Labels, _Histogram] = defaultdict(lambda: _Histogram(_SECONDS))
        self._bytes: dict[Labels, _Histogram] = defaultdict(lambda: _Histogram(_BYTES))
        self._faults: dict[Labels, int] = defaultdict(int)
        self.settle: Callable[[], None] = lambda: None
        """Called before the metrics are read: records what waits elsewhere."""

    def record(self, exchange: Exchange) -> None:
        """Count one exchange."""
        provider, product = exchange.provider, exchange.product or _NONE
        outcome = exchange.outcome or _NONE
        self._requests[provider, product, outcome, exchange.match] += 1
        if exchange.charged:
            self._charged[provider, product] += exchange.charged
        self._seconds[provider, product].observe(exchange.milliseconds / 1000, _SECONDS)
        if exchange.image is not None:
            self._bytes[provider, product].observe(exchange.image.bytes, _BYTES)
        if exchange.fault is not None:
            self._faults[provider, exchange.fault] += 1

    def text(self) -> tuple[bytes, str]:
        """Return the metrics as text, and its content type."""
        from prometheus_client import CollectorRegistry
        from prometheus_client.exposition import CONTENT_TYPE_PLAIN_1_0_0, generate_latest

        registry: CollectorRegistry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        return generate_latest(registry), CONTENT_TYPE_PLAIN_1_0_0

    def collect(self) -> "Iterator[Metric]":
        """The metrics as objects of the client library, which calls this method."""
        from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

        self.settle()
        for name, help, labels, counts in (
            ("requests", "Requests answered.", ("provider", "product", "outcome", "match"), self._requests),
            ("units_charged", "Credits or quota units spent.", ("provider", "product"), self._charged),
            ("faults", "Connections broken by a fault.", ("provider", "fault"), self._faults),
        ):
            counter = CounterMetricFamily(_PREFIX + name, help, labels=labels)
            for values, count in list(counts.items()):
                counter.add_metric(values, count)
            yield counter
        for name, help, bounds, histograms in (
            ("request_seconds", "Time to decide, without configured delays.", _SECONDS, self._seconds),
            ("image_bytes", "Size of pictures.", _BYTES, self._bytes),
        ):
            histogram = HistogramMetricFamily(_PREFIX + name, help, labels=("provider", "product"))
            ends = [*(str(float(bound)) for bound in bounds), "+Inf"]
            for values, measured in list(histograms.items()):
                buckets = list(zip(ends, accumulate(measured.counts), strict=True))
                histogram.add_metric(values, buckets, measured.total)
            yield histogram
