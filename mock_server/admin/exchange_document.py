"""An exchange as a document."""

from dataclasses import fields
from datetime import datetime
from typing import Any

import orjson

from mock_server.core.exchange import Exchange, region_of
from mock_server.core.journal import JournalEntry
from mock_server.core.near_misses import NearMiss

_NAMES = [field.name for field in fields(Exchange)]


def to_json(document: object) -> bytes:
    """JSON of a document that may hold dataclasses, enums and times."""
    return orjson.dumps(document, default=_plain, option=orjson.OPT_PASSTHROUGH_DATETIME)


def exchange_document(entry: JournalEntry) -> dict[str, Any]:
    """The exchange of a journal entry, with its reply, for `to_json`."""
    return {name: getattr(entry, name) for name in _NAMES} | {"reply": _reply(entry.body)}


def near_miss_document(miss: NearMiss) -> dict[str, Any]:
    """A scenario that nearly matched, for `to_json`."""
    return {
        "scenario": miss.scenario,
        "distance": None if miss.distance is None else round(miss.distance, 4),
        "limit": miss.limit,
        "failed": miss.failed,
        "region": region_of(miss.region),
        "reason": miss.reason,
    }


def _reply(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.decode("utf-8", "replace") or None


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    raise TypeError(f"{type(value).__name__} has no JSON form")
