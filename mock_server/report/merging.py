"""One report of several mocks, from what each of them has counted."""

from collections.abc import Iterable

from mock_server.core.serialization import from_json
from mock_server.providers import registry
from mock_server.report.building import build
from mock_server.report.counted import Counted
from mock_server.report.document import Report


def latest(first: str, second: str) -> str:
    """The later counts of one mock: counts only grow."""
    return max(first, second, key=lambda text: sum(one.count for one in from_json(Counted, text.encode()).tally.counts))


def merge(counts: Iterable[bytes]) -> Report:
    """The final report. Each part is the answer of a mock to `GET /__admin/report?format=counts`."""
    return build([from_json(Counted, one) for one in counts], registry.PROVIDERS, is_over=True)
