"""Request bodies and query parameters of the admin API, and the checks of their values.

A wrong value raises FixturesError with its place.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from starlette.requests import Request

from mock_server.errors import FixturesError, Mistake, MultipartError
from mock_server.http.body import off_loop, read_body
from mock_server.http.multipart import Form, parse_multipart
from mock_server.scenarios.source import pointer
from mock_server.suggest import suggest

PARAMETER = "?"
"""Begins the place of a mistake in a query parameter. The place in a document is a JSON pointer."""

END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC).timestamp()
"""Unix time; later dates cannot be written."""

MAX_TEXT = 16_384  # characters
MAX_KEY = 512  # characters; providers cut longer keys

_DURATION = r"(?P<sign>[-+]?)(?P<parts>(?:[0-9]{1,9}(?:\.[0-9]{1,9})?(?:ms|[smhdw]) ?)+)"
_PART = r"([0-9.]+)(ms|[smhdw])"
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_MAX_COUNT = 10**9
_MAX_MISTAKES = 20
_MAX_DEPTH = 64
_MAX_VALUES = 20_000
_MAX_BYTES = 1_000_000
"""Of a JSON or YAML document. Larger ones would delay other requests; pictures are sent in forms."""
_YAML = ("yaml", "x-yaml")


def mistake(place: str, what: str, hint: str = "") -> FixturesError:
    """An error to raise. `place` is a JSON pointer, or `?` and the name of a query parameter."""
    return FixturesError([Mistake(place, 0, 0, what, hint)])


def as_object(document: object) -> Mapping[str, Any]:
    """The document, if it is a JSON object."""
    if not isinstance(document, Mapping):
        raise mistake("", "expected a JSON object")
    return document


def check_names(given: Mapping[str, Any], known: Iterable[str], *, parameters: bool = False) -> None:
    """Refuse unknown keys of a document, or unknown query parameters. The error has the first of them."""
    names = list(known)
    unknown = [name for name in given if name not in names][:_MAX_MISTAKES]
    kind, place_of = ("parameter", PARAMETER.__add__) if parameters else ("key", pointer)
    mistakes = [
        Mistake(place_of(name[:80]), 0, 0, f'unknown {kind} "{name[:80]}"', suggest(name, names)) for name in unknown
    ]
    if mistakes:
        raise FixturesError(mistakes)


def as_choice(value: object, choices: Iterable[str], place: str, what: str) -> str:
    """The value, if it is one of the choices."""
    names = list(choices)
    if not isinstance(value, str):
        raise mistake(place, f"expected the name of a {what}", suggest("", names))
    if value not in names:
        raise mistake(place, f'unknown {what} "{value[:80]}"', suggest(value, names))
    return value


def as_text(value: object, place: str, *, max_length: int = MAX_TEXT) -> str:
    """The value, if it is a text of limited length."""
    if not isinstance(value, str):
        raise mistake(place, "expected a text")
    if len(value) > max_length:
        raise mistake(place, f"expected at most {max_length:,} characters")
    return value


def as_count(value: object, place: str) -> int:
    """A whole number from 0, also as a text of digits."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 9:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MAX_COUNT:
        raise mistake(place, "expected a whole number from 0")
    return value


def as_time(value: object, place: str) -> float:
    """Unix time of an ISO 8601 date (in UTC if it has no time zone) or of a number of seconds."""
    example = 'such as "2026-12-01T00:00:00Z"'
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise mistake(place, "expected a time", example)
    try:
        seconds = _parse_time(value.strip()) if isinstance(value, str) else float(value)
    except ValueError:
        raise mistake(place, f'"{str(value).strip()[:40]}" is not a time', example) from None
    except OverflowError:
        seconds = math.inf
    if not 0 <= seconds < END_OF_TIME:
        raise mistake(place, "expected a time from 1970 to 9998")
    return seconds


def _parse_time(text: str) -> float:
    if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,9})?", text):
        return float(text)
    parsed = datetime.fromisoformat(text)
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


def as_duration(value: object, place: str) -> float:
    """Seconds of "31d", "1h30m", "-90s", or of a number."""
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    match = re.fullmatch(_DURATION, value.strip()) if isinstance(value, str) else None
    if match is None:
        raise mistake(place, "expected a duration", 'such as "31d", "1h30m", "90s" or "250ms"')
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in re.findall(_PART, match["parts"]))
    return -seconds if match["sign"] == "-" else seconds


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a request, with its declared content type."""

    data: bytes
    content_type: str

    @property
    def media_type(self) -> str:
        """The declared type without its parameters, in lower case."""
        return self.content_type.partition(";")[0].strip().lower()

    def document(self) -> Any:
        """A mapping from JSON, or the text of YAML, if it is declared as YAML or does not begin like a JSON object."""
        return parse_document(self.data, yaml=self.media_type.rpartition("/")[2] in _YAML)

    async def form(self, *allowed: str) -> Form | None:
        """The parts of a form; None if the body is not a form. Raises MultipartError for a part that is not allowed."""
        if self.media_type != "multipart/form-data":
            return None
        form = await off_loop(len(self.data), parse_multipart, self.content_type, self.data)
        if form.skipped:
            raise MultipartError(form.skipped[0])
        for part in form:
            if part.name not in allowed:
                raise MultipartError(f'unknown part "{part.name[:80]}"; {suggest(part.name, allowed)}'.rstrip("; "))
        return form


async def read(request: Request) -> Body:
    """The whole body. Raises BodyTooLargeError."""
    data = await read_body(request.scope, request.receive, limit=request.app.state.max_body)
    return Body(data, request.headers.get("content-type", ""))


async def read_object(request: Request, *, is_optional: bool = False) -> Mapping[str, Any]:
    """The JSON object of a body, whatever its declared type: curl declares a form by default.

    If it is optional, an empty body is an empty object.
    """
    body = await read(request)
    return {} if is_optional and not body.data else as_object(parse_json(body.data))


def parse_json(data: bytes | memoryview) -> Any:
    """JSON of limited size. Raises FixturesError with line and column."""
    _check_size(data)
    _check_commas(data)
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        what = "this is not JSON" if data else "expected a JSON document, the body is empty"
        raise FixturesError([Mistake("body", error.lineno, error.colno, what, error.msg if data else "")]) from None
    _check_values(document)
    return document


def parse_document(data: bytes | memoryview, *, yaml: bool = False) -> Mapping[str, Any] | str:
    """A mapping from JSON, or the text of YAML."""
    _check_size(data)
    text = bytes(data)
    if not yaml and text.lstrip()[:1] in (b"{", b""):
        parsed: Mapping[str, Any] = parse_json(text)
        return parsed
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        raise mistake("", "the document is not UTF-8 text") from None


def _check_size(data: bytes | memoryview) -> None:
    if len(data) > _MAX_BYTES:
        raise mistake("", f"a document can have at most {_MAX_BYTES:,} bytes")


def _check_commas(data: bytes | memoryview) -> None:
    """Refuse a document that would take long to parse. Texts have commas, too, so that more are allowed than values."""
    if len(data) > 5 * _MAX_VALUES and sum(map(bytes(data).count, (b",", b"[", b"{"))) > 5 * _MAX_VALUES:
        raise mistake("", f"a document can have at most {_MAX_VALUES:,} values")


def _check_values(document: Any) -> None:
    level, count = [document], 0
    for _ in range(_MAX_DEPTH):
        level = [inner for outer in level if isinstance(outer, dict | list) for inner in _inside(outer)]
        count += len(level)
        if count > _MAX_VALUES:
            raise mistake("", f"a document can have at most {_MAX_VALUES:,} values")
        if not level:
            return
    raise mistake("", f"a document can have at most {_MAX_DEPTH} levels")


def _inside(outer: dict[str, Any] | list[Any]) -> list[Any]:
    return list(outer.values()) if isinstance(outer, dict) else outer
