"""multipart/form-data (RFC 7578), read from one complete body without copying what the parts hold."""

import logging
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from mock_server.core.value import value
from mock_server.errors import MultipartError
from mock_server.http.parameters import decode_extended, parse_parameters

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MAX_PARTS = 64
MAX_BOUNDARY_LENGTH = 70  # RFC 2046, section 5.1.1
MAX_HEADERS = 16  # in one part
MAX_HEADER_SIZE = 4096  # bytes of one header line

_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_TRANSFER_ENCODINGS = ("", "7bit", "8bit", "binary")  # those that leave the data as they are

# The parser would log each malformed body; whoever sent it is told, the log needs no copy.
_SILENT = logging.getLogger("mock_server.http.multipart.parser")
_SILENT.disabled = True


@value
class Part:
    """One part of a form: a plain field, or a file when it has a `filename` (a label, never a path to open).

    `data` is a view of the request's body and keeps all of it in memory: copy what must outlive the request.
    """

    name: str
    data: memoryview
    filename: str | None = None
    content_type: str | None = None

    @property
    def text(self) -> str:
        """The data as UTF-8; what is not UTF-8 becomes U+FFFD."""
        return str(self.data, "utf-8", "replace")


@value
class Form:
    """The parts of a form in the order they were sent; names may repeat."""

    parts: tuple[Part, ...]

    def __iter__(self) -> Iterator[Part]:
        return iter(self.parts)

    def __len__(self) -> int:
        return len(self.parts)

    def first(self, name: str) -> Part | None:
        """The first part of that name."""
        return next((part for part in self.parts if part.name == name), None)


def parse_multipart(content_type: str, body: bytes | bytearray, *, max_parts: int = MAX_PARTS) -> Form:
    """Parse a body whose Content-Type header is `content_type`; the parts are views of `body`.

    Lines end with CRLF, nothing but line ends stands before the first boundary, the last boundary is closed;
    what follows it is ignored. A part has a Content-Disposition `form-data` with a name (which may be empty).
    `filename*` wins over `filename`, and `%22` in a name is a quote, as browsers write it. A multipart body
    within a part is data like any other. Parts in base64 or quoted-printable, long deprecated, are refused.

    Raises MultipartError for everything else.
    """
    boundary = _boundary(content_type)
    builder = _FormBuilder(body, boundary, max_parts)
    parser = MultipartParser(
        boundary,
        builder.callbacks(),
        max_header_count=MAX_HEADERS,
        max_header_size=MAX_HEADER_SIZE,
    )
    parser.logger = _SILENT
    try:
        # A bytearray serves it just as well; only its annotation says bytes.
        parser.write(body)  # type: ignore[arg-type, unused-ignore]
    except FormParserError as error:
        raise MultipartError(f"malformed at byte {getattr(error, 'offset', 0)}") from error
    if not builder.complete:
        raise MultipartError("the last boundary is missing")
    return Form(tuple(builder.parts))


def _boundary(content_type: str) -> bytes:
    try:
        kind, parameters = parse_parameters(content_type)
    except ValueError as error:
        raise MultipartError(f"the Content-Type cannot be read: {error}") from error
    if kind != "multipart/form-data":
        raise MultipartError("the Content-Type is not multipart/form-data")
    boundary = parameters.get("boundary", "")
    if not boundary:
        raise MultipartError("the Content-Type names no boundary")
    if len(boundary) > MAX_BOUNDARY_LENGTH:
        raise MultipartError(f"the boundary is longer than {MAX_BOUNDARY_LENGTH} characters")
    if not (boundary.isascii() and boundary.isprintable()) or boundary.endswith(" "):
        raise MultipartError("the boundary has characters that are not allowed")
    return boundary.encode("ascii")


class _FormBuilder:
    """Collects the parts from the parser's callbacks; offsets are those of the one buffer it is fed."""

    def __init__(self, body: bytes | bytearray, boundary: bytes, max_parts: int) -> None:
        self.parts: list[Part] = []
        self.complete = False
        self._body = body
        self._view = memoryview(body).toreadonly()
        self._delimiter = b"\r\n--" + boundary
        self._max_parts = max_parts
        self._headers: dict[str, str] = {}
        self._field = ""
        self._value = ""
        self._start = self._end = 0

    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._part_begin,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._part_data,
            "on_part_end": self._part_end,
            "on_end": self._finish,
        }

    def _part_begin(self) -> None:
        if len(self.parts) == self._max_parts:
            raise MultipartError(f"more than {self._max_parts} parts")
        self._headers = {}

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._field = data[start:end].decode("ascii").lower()
        self._value = ""
        self._end = end

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value = _decode_header(data[start:end])

    def _header_end(self) -> None:
        if self._field in self._headers:
            raise MultipartError("a part has the same header twice")
        self._headers[self._field] = self._value

    def _headers_finished(self) -> None:
        if not self._headers:
            raise MultipartError("a part without headers")
        # The parser calls back for data only when there are any; until then the part is empty.
        self._start = self._end = self._body.index(b"\r\n\r\n", self._end) + 4
        self._check_delimiter(self._start)

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        self._start, self._end = start, end
        self._check_delimiter(end)

    def _check_delimiter(self, position: int) -> None:
        # The parser walks through white space after a boundary byte by byte: megabytes of it would hold up
        # the server for seconds, and no client sends any.
        after = bytes(self._view[position + len(self._delimiter) :][:1])
        if after in (b" ", b"\t") and self._body.startswith(self._delimiter, position):
            raise MultipartError("white space after a boundary")

    def _part_end(self) -> None:
        self.parts.append(_part(self._headers, self._view[self._start : self._end]))

    def _finish(self) -> None:
        self.complete = True


def _decode_header(raw: bytes | bytearray) -> str:
    if _CONTROL.search(raw):
        raise MultipartError("a control character in a part's header")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _part(headers: dict[str, str], data: memoryview) -> Part:
    disposition = headers.get("content-disposition")
    if disposition is None:
        raise MultipartError("a part without Content-Disposition")
    encoding = headers.get("content-transfer-encoding")
    if encoding is not None and encoding.strip().lower() not in _TRANSFER_ENCODINGS:
        raise MultipartError("a part with a Content-Transfer-Encoding that changes its data")
    name, filename = _name_and_filename(disposition)
    return Part(name, data, filename, headers.get("content-type"))


@lru_cache(maxsize=256)
def _name_and_filename(disposition: str) -> tuple[str, str | None]:
    """What a Content-Disposition says; remembered, for a client sends the same few again and again."""
    try:
        kind, parameters = parse_parameters(disposition)
    except ValueError as error:
        raise MultipartError(f"a Content-Disposition cannot be read: {error}") from error
    if kind != "form-data" or "name" not in parameters:
        raise MultipartError("a part whose Content-Disposition is not form-data with a name")
    filename = decode_extended(parameters.get("filename*", ""))
    if filename is None and "filename" in parameters:
        filename = _unescape(parameters["filename"])
    return _unescape(parameters["name"]), filename


def _unescape(text: str) -> str:
    # Line ends stay escaped: nothing good comes from a file name with several lines.
    return text.replace("%22", '"')
