"""Request bodies of the admin API: JSON, YAML and forms, within the same size limit as uploads."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request

from mock_server.admin.validation import mistake
from mock_server.errors import FixturesError, Mistake, MultipartError
from mock_server.http.body import read_body
from mock_server.http.multipart import Form, parse_multipart
from mock_server.suggest import suggest

_MAX_DEPTH = 64
_MAX_VALUES = 20_000
_MAX_BYTES = 1_000_000
"""Of a JSON or YAML document. Larger ones would delay other requests; pictures are sent in forms."""
_YAML = ("yaml", "x-yaml")


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a request, with its declared content type."""

    data: bytes
    content_type: str

    @property
    def media_type(self) -> str:
        """The declared type without its parameters, in lower case."""
        return self.content_type.partition(";")[0].strip().lower()

    def json(self) -> Any:
        """The body as JSON, whatever its declared type: curl declares a form by default."""
        return parse_json(self.data)

    def document(self) -> Any:
        """A mapping from JSON, or the text of YAML, if it is declared as YAML or does not begin like a JSON object."""
        return parse_document(self.data, yaml=self.media_type.rpartition("/")[2] in _YAML)

    def form(self, *allowed: str) -> Form | None:
        """The parts of a form; None if the body is not a form. Raises MultipartError for a part that is not allowed."""
        if self.media_type != "multipart/form-data":
            return None
        form = parse_multipart(self.content_type, self.data)
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


def parse_json(data: bytes | memoryview) -> Any:
    """JSON of limited size. Raises FixturesError with line and column."""
    _check_size(data)
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
