"""Moments and durations as callers write them."""

import math
import re
from datetime import UTC, datetime

from mock_server.admin.input_errors import mistake

_LATEST = datetime(9999, 1, 1, tzinfo=UTC).timestamp()
_DURATION = re.compile(r"(?P<sign>[-+]?)(?P<parts>(?:[0-9]{1,9}(?:\.[0-9]{1,9})?(?:ms|[smhdw]) ?)+)")
_PART = re.compile(r"([0-9.]+)(ms|[smhdw])")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


def shown(moment: float) -> str:
    """Unix time as ISO 8601 in UTC, to the millisecond."""
    text = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def moment(value: object, place: str) -> float:
    """Unix time from ISO 8601 (UTC where no zone is given) or a number of seconds."""
    if isinstance(value, str):
        seconds = _from_text(value.strip(), place)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value)
    else:
        raise mistake(place, "a time is wanted", 'such as "2026-12-01T00:00:00Z"')
    if not (math.isfinite(seconds) and 0 <= seconds < _LATEST):
        raise mistake(place, "a time from 1970 to 9998 is wanted")
    return seconds


def _from_text(text: str, place: str) -> float:
    if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,9})?", text):
        return float(text)
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise mistake(place, f'"{text[:40]}" is no time', 'such as "2026-12-01T00:00:00Z"') from None
    try:
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    except OverflowError:
        raise mistake(place, "a time from 1970 to 9998 is wanted") from None


def duration(value: object, place: str) -> float:
    """Seconds from "31d", "1h30m", "-90s", or a number of seconds."""
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise mistake(place, "a duration is wanted", 'such as "31d", "1h30m", "90s" or "250ms"')
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(match["parts"]))
    return -seconds if match["sign"] == "-" else seconds
