"""The report as JSON."""

from datetime import datetime
from typing import Any

import orjson

from mock_server.core.exchange import Document
from mock_server.report.document import Report


def json_text(report: Report) -> bytes:
    """The whole report, in the form of `vehicle-ocr-mock schema report`."""
    options = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_INDENT_2
    return orjson.dumps(report, default=_plain, option=options)


def _plain(value: object) -> Any:
    if isinstance(value, Document):
        return value.document()
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    raise TypeError(f"{type(value).__name__} has no JSON form")
